package database

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestStopsWhileItCannotConnect(t *testing.T) {
	config, err := pgxpool.ParseConfig("postgres://?host=" + t.TempDir()) // no socket there
	if err != nil {
		t.Fatal(err)
	}
	db := NewConnection(config, Migrations(), slog.New(slog.DiscardHandler))
	if _, err := db.Pool(); !errors.Is(err, ErrNotReady) {
		t.Errorf("before it runs: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		db.Run(ctx)
		close(ended)
	}()

	// Wait until an attempt has failed: its reason is then part of what Check says.
	deadline := time.Now().Add(10 * time.Second)
	for err = db.Check(ctx); err == nil || err.Error() == ErrNotReady.Error(); err = db.Check(ctx) {
		if time.Now().After(deadline) {
			t.Fatalf("no attempt has failed: %v", err)
		}
	}
	if !Unreachable(err) {
		t.Errorf("not taken for a connection that failed: %v", err)
	}
	stop()
	<-ended
}
