package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotReady says that PostgreSQL was not reached yet, or its schema is not up to date yet.
var ErrNotReady = errors.New("the database is not ready yet")

// The waits between attempts double from the first to the longest.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 5 * time.Second
)

// Connection becomes usable when PostgreSQL does. It is safe for concurrent use.
type Connection struct {
	config     *pgxpool.Config
	migrations fs.FS
	log        *slog.Logger
	opened     chan struct{} // closed when it has become usable for the first time

	mu   sync.RWMutex
	pool *pgxpool.Pool // nil until connected and migrated
	last error         // why the last attempt failed
}

// NewConnection prepares a connection; Run makes it. migrations holds the schema's SQL files
// (see Migrate).
func NewConnection(config *pgxpool.Config, migrations fs.FS, log *slog.Logger) *Connection {
	return &Connection{config: config, migrations: migrations, log: log, opened: make(chan struct{})}
}

// Run connects and migrates, trying again until it succeeds: a service and its database
// start in any order. It returns when ctx has ended and the connections are closed.
func (c *Connection) Run(ctx context.Context) {
	always := func(error) bool { return true }
	if persist(ctx, c.log, always, func() error { return c.open(ctx) }) != nil {
		return // ctx has ended
	}
	close(c.opened)
	<-ctx.Done()
	c.close()
}

// persist does work until it succeeds, its error is not worth another attempt, or ctx has
// ended. It gives the last error.
func persist(ctx context.Context, log *slog.Logger, worth func(error) bool, work func() error) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := work()
		if err == nil || ctx.Err() != nil || !worth(err) {
			return err
		}
		// Up to half as much again: replicas that start together do not ask together.
		pause := wait + rand.N(wait/2) //nolint:gosec // spreads load, keeps no secret
		log.WarnContext(ctx, "PostgreSQL is not ready; will try again", "in", pause.String(), "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (c *Connection) open(ctx context.Context) error {
	pool, applied, err := connect(ctx, c.config, c.migrations)
	if err == nil {
		c.log.Info("PostgreSQL is ready", "migrations", applied)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = err
	if err == nil {
		c.pool = pool
	}
	return err
}

// connect gives connections to a database whose schema is up to date, and what was applied
// for that.
func connect(ctx context.Context, config *pgxpool.Config, migrations fs.FS) (*pgxpool.Pool, []string, error) {
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	applied, err := Migrate(ctx, pool, migrations)
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return pool, applied, nil
}

func (c *Connection) close() {
	c.mu.Lock()
	pool := c.pool
	c.pool = nil
	c.mu.Unlock()
	pool.Close() // waits for the queries under way
}

// Await returns when the connection has become usable, limit has passed, or ctx has ended.
func (c *Connection) Await(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-c.opened:
	case <-ctx.Done():
	}
}

// Pool gives the connections, or ErrNotReady.
func (c *Connection) Pool() (*pgxpool.Pool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.pool == nil {
		return nil, ErrNotReady
	}
	return c.pool, nil
}

// Check asks PostgreSQL for a sign of life; nil is ready. The error may name hosts and
// users: it is for logs.
func (c *Connection) Check(ctx context.Context) error {
	pool, err := c.Pool()
	if err != nil {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return errors.Join(err, c.last)
	}
	if err := pool.Ping(ctx); err != nil {
		return fmt.Errorf("asking PostgreSQL for a sign of life: %w", err)
	}
	return nil
}
