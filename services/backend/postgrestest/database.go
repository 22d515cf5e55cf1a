package postgrestest

import (
	"context"
	"crypto/rand"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Database gives the configuration of an empty database that is the test's alone. Where
// TEST_POSTGRES names a server, it is made there and dropped when the test ends: the user
// needs the right to create databases. Else it is on a server of the test's own (NewServer).
func Database(tb testing.TB) *pgxpool.Config {
	tb.Helper()
	dsn := os.Getenv("TEST_POSTGRES")
	if dsn == "" {
		server := NewServer(tb)
		server.Start()
		return server.Config()
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		tb.Fatalf("reading TEST_POSTGRES: %v", err)
	}
	conn, err := pgx.ConnectConfig(tb.Context(), config.ConnConfig.Copy())
	if err != nil {
		tb.Fatalf("connecting to TEST_POSTGRES: %v", err)
	}
	name := pgx.Identifier{"test_" + rand.Text()}
	if _, err := conn.Exec(tb.Context(), "CREATE DATABASE "+name.Sanitize()); err != nil {
		tb.Fatalf("making a database for this test: %v", err)
	}
	tb.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name.Sanitize()+" WITH (FORCE)"); err != nil {
			tb.Errorf("dropping this test's database: %v", err)
		}
		if err := conn.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	config.ConnConfig.Database = name[0]
	return config
}
