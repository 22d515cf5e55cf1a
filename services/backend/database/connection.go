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

	mu   sync.RWMutex
	pool *pgxpool.Pool // nil until connected and migrated
	last error         // why the last attempt failed
}

// NewConnection prepares a connection; Run makes it. migrations holds the schema's SQL files
// (see Migrate).
func NewConnection(config *pgxpool.Config, migrations fs.FS, log *slog.Logger) *Connection {
	return &Connection{config: config, migrations: migrations, log: log}
}

// Run connects and migrates, trying again until it succeeds: a service and its database
// start in any order. It returns when ctx has ended and the connections are closed.
func (c *Connection) Run(ctx context.Context) {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := c.open(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		// Up to half as much again: replicas that start together do not ask together.
		pause := wait + rand.N(wait/2) //nolint:gosec // spreads load, keeps no secret
		c.log.Warn("PostgreSQL is not ready; will try again", "in", pause.String(), "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
	<-ctx.Done()
	c.close()
}

func (c *Connection) open(ctx context.Context) error {
	pool, err := pgxpool.NewWithConfig(ctx, c.config)
	if err == nil {
		var applied []string
		if applied, err = Migrate(ctx, pool, c.migrations); err != nil {
			pool.Close()
		} else {
			c.log.Info("PostgreSQL is ready", "migrations", applied)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = err
	if err == nil {
		c.pool = pool
	}
	return err
}

func (c *Connection) close() {
	c.mu.Lock()
	pool := c.pool
	c.pool = nil
	c.mu.Unlock()
	pool.Close() // waits for the queries under way
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
