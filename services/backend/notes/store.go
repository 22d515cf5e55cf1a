package notes

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound says that there is no note of that id.
var ErrNotFound = errors.New("there is no such note")

// Store keeps notes.
type Store interface {
	Create(context.Context, Draft) (Note, error)
	Get(ctx context.Context, id int64) (Note, error)
	// List gives at most limit notes, the newest first, after leaving out offset of them.
	List(ctx context.Context, limit, offset int) ([]Note, error)
	Delete(ctx context.Context, id int64) error
}

// Postgres is the store in PostgreSQL. It asks for the connections at each use, since
// the service answers before the database is there.
type Postgres struct {
	pool func() (*pgxpool.Pool, error)
}

var _ Store = (*Postgres)(nil)

// NewPostgres makes a store on the connections that pool gives, or fails as pool does.
func NewPostgres(pool func() (*pgxpool.Pool, error)) *Postgres { return &Postgres{pool: pool} }

const columns = "id, title, body, created_at"

// Create stores a note.
func (p *Postgres) Create(ctx context.Context, d Draft) (Note, error) {
	return p.one(ctx, "INSERT INTO notes (title, body) VALUES ($1, $2) RETURNING "+columns, d.Title, d.Body)
}

// Get reads one note.
func (p *Postgres) Get(ctx context.Context, id int64) (Note, error) {
	return p.one(ctx, "SELECT "+columns+" FROM notes WHERE id = $1", id)
}

// List reads a page of notes.
func (p *Postgres) List(ctx context.Context, limit, offset int) ([]Note, error) {
	return p.query(ctx, "SELECT "+columns+" FROM notes ORDER BY id DESC LIMIT $1 OFFSET $2", limit, offset)
}

// Delete removes one note.
func (p *Postgres) Delete(ctx context.Context, id int64) error {
	_, err := p.one(ctx, "DELETE FROM notes WHERE id = $1 RETURNING "+columns, id)
	return err
}

func (p *Postgres) one(ctx context.Context, sql string, args ...any) (Note, error) {
	found, err := p.query(ctx, sql, args...)
	if err != nil {
		return Note{}, err
	}
	if len(found) == 0 {
		return Note{}, ErrNotFound
	}
	return found[0], nil
}

func (p *Postgres) query(ctx context.Context, sql string, args ...any) ([]Note, error) {
	pool, err := p.pool()
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("asking PostgreSQL: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Note])
	if err != nil {
		return nil, fmt.Errorf("asking PostgreSQL: %w", err)
	}
	return found, nil
}
