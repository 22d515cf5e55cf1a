package database

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lockKey names our advisory lock in PostgreSQL: "notes" in ASCII.
const lockKey int64 = 0x6e6f746573

// Migrate applies those of the migrations that the table schema_migrations does not have yet,
// in the order of their numbers, and records them there. All of it is one transaction:
// a failure changes nothing. Replicas that start together wait for one another on an advisory
// lock. It gives back the names of the files applied.
//
// A recorded migration that this binary does not know is left alone: after a rollback the old
// version runs on the newer schema. So a migration must keep the version before it working.
func Migrate(ctx context.Context, pool *pgxpool.Pool, files fs.FS) ([]string, error) {
	known, err := readMigrations(files)
	if err != nil {
		return nil, err
	}
	var applied []string
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		applied = nil
		recorded, err := lockAndList(ctx, tx)
		if err != nil {
			return fmt.Errorf("reading which migrations are applied: %w", err)
		}
		for _, m := range known {
			name, done := recorded[m.number]
			if done && name != m.name {
				return fmt.Errorf("migration %d was applied as %s, but here it is %s: a migration once applied must keep its number and name", m.number, name, m.name)
			}
			if done {
				continue
			}
			if err := apply(ctx, tx, m); err != nil {
				return fmt.Errorf("applying migration %s: %w", m.name, err)
			}
			applied = append(applied, m.name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	return applied, nil
}

// lockAndList holds the lock until tx ends, and gives the recorded names by number.
func lockAndList(ctx context.Context, tx pgx.Tx) (map[int]string, error) {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey); err != nil {
		return nil, err
	}
	_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		number     integer PRIMARY KEY,
		name       text NOT NULL,
		applied_at timestamptz NOT NULL DEFAULT now()
	)`)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, "SELECT number, name FROM schema_migrations")
	if err != nil {
		return nil, err
	}
	recorded := map[int]string{}
	var number int
	var name string
	_, err = pgx.ForEachRow(rows, []any{&number, &name}, func() error {
		recorded[number] = name
		return nil
	})
	return recorded, err
}

func apply(ctx context.Context, tx pgx.Tx, m migration) error {
	// Without arguments pgx sends the text as it is, so a file may hold several statements.
	if _, err := tx.Exec(ctx, m.sql); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO schema_migrations (number, name) VALUES ($1, $2)", m.number, m.name)
	return err
}
