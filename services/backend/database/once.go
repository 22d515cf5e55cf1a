package database

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// patience bounds how long MigrateOnce waits for PostgreSQL.
const patience = time.Minute

// MigrateOnce applies the migrations as a job does that ends with it: see Migrate for what it
// gives back. While PostgreSQL cannot be reached it tries again, for a minute; what is wrong
// with a migration is an error at once.
func MigrateOnce(ctx context.Context, config *pgxpool.Config, migrations fs.FS, log *slog.Logger) (applied []string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("PostgreSQL was not ready within %s", patience))
	defer cancel()
	err = persist(ctx, log, Unreachable, func() error {
		pool, done, err := connect(ctx, config, migrations)
		if err == nil {
			applied = done
			pool.Close()
		}
		return err
	})
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return applied, err
}
