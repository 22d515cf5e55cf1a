package database

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"services/backend/postgrestest"
)

func TestMigrateOnce(t *testing.T) {
	config, log := postgrestest.Database(t), slog.New(slog.DiscardHandler)
	good := files(map[string]string{"1_a.sql": "CREATE TABLE a (x int)"})
	for _, want := range [][]string{{"1_a.sql"}, nil} { // a second job has nothing to do
		if got, err := MigrateOnce(t.Context(), config.Copy(), good, log); err != nil || !slices.Equal(got, want) {
			t.Fatalf("applied %v, %v; want %v", got, err, want)
		}
	}
	bad := files(map[string]string{"1_a.sql": "", "2_b.sql": "CREATE TABEL b ()"})
	if _, err := MigrateOnce(t.Context(), config.Copy(), bad, log); err == nil || !strings.Contains(err.Error(), "applying migration 2_b.sql") {
		t.Errorf("a broken migration: %v", err)
	}
}

func TestMigrateOnceIsStoppedWhileItWaits(t *testing.T) {
	config, err := pgxpool.ParseConfig("postgres://?host=" + t.TempDir()) // no socket there
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	halted := errors.New("halted")
	tried := slog.New(slog.NewTextHandler(writer(func(p []byte) { stop(halted) }), nil))
	if _, err := MigrateOnce(ctx, config, Migrations(), tried); !errors.Is(err, halted) || !Unreachable(err) {
		t.Errorf("stopped at its first complaint, it gives %v", err)
	}
}

// writer gives what is written to a function.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }
