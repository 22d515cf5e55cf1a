package database

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"services/backend/postgrestest"
)

func pool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.NewWithConfig(t.Context(), postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func migrate(t *testing.T, p *pgxpool.Pool, files fs.FS, want ...string) {
	t.Helper()
	if got, err := Migrate(t.Context(), p, files); err != nil || !slices.Equal(got, want) {
		t.Fatalf("applied %v, %v; want %v", got, err, want)
	}
}

func recorded(t *testing.T, p *pgxpool.Pool) []string {
	t.Helper()
	rows, err := p.Query(t.Context(), "SELECT name FROM schema_migrations ORDER BY number")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestMigrate(t *testing.T) {
	p := pool(t)
	old := files(map[string]string{"1_a.sql": "CREATE TABLE a (x int); INSERT INTO a VALUES (1)"})
	newer := files(map[string]string{
		"1_a.sql": string(old["1_a.sql"].Data),
		"2_b.sql": "ALTER TABLE a ADD y int",
	})

	migrate(t, p, old, "1_a.sql")
	migrate(t, p, old)
	migrate(t, p, newer, "2_b.sql")
	migrate(t, p, old) // the old version again, after a rollback

	if got := recorded(t, p); !slices.Equal(got, []string{"1_a.sql", "2_b.sql"}) {
		t.Errorf("recorded: %v", got)
	}

	_, err := Migrate(t.Context(), p, files(map[string]string{"1_other.sql": ""}))
	if err == nil || !strings.Contains(err.Error(), "migration 1 was applied as 1_a.sql, but here it is 1_other.sql") {
		t.Errorf("a renamed migration: %v", err)
	}

	_, err = Migrate(t.Context(), p, files(map[string]string{"3_c.sql": "CREATE TABLE c ()", "4_d.sql": "CREATE TABEL d ()"}))
	if err == nil || !strings.Contains(err.Error(), "applying migration 4_d.sql") {
		t.Errorf("a broken migration: %v", err)
	}
	if got := recorded(t, p); len(got) != 2 {
		t.Errorf("recorded after a failure: %v", got)
	}
	migrate(t, p, files(map[string]string{"3_c.sql": "CREATE TABLE c ()"}), "3_c.sql") // would fail if c were there
}

func TestMigrateTogether(t *testing.T) {
	p := pool(t)
	const replicas = 4 // pgxpool allows so many connections at least
	type result struct {
		applied []string
		err     error
	}
	results := make(chan result)
	for range replicas {
		go func() {
			applied, err := Migrate(t.Context(), p, Migrations())
			results <- result{applied, err}
		}()
	}
	var applied []string
	for range replicas {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		applied = append(applied, r.applied...)
	}
	if want := recorded(t, p); !slices.Equal(applied, want) {
		t.Errorf("applied %v, recorded %v: each once, by one of them", applied, want)
	}
}
