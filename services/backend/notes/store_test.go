package notes

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"services/backend/database"
	"services/backend/postgrestest"
)

// TestPostgres is about the SQL, on a real server.
func TestPostgres(t *testing.T) {
	pool, err := pgxpool.NewWithConfig(t.Context(), postgrestest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := database.Migrate(t.Context(), pool, database.Migrations()); err != nil {
		t.Fatal(err)
	}
	store := NewPostgres(func() (*pgxpool.Pool, error) { return pool, nil })

	var ids []int64
	for _, title := range []string{"one", "two", "three'); DROP TABLE notes; --"} {
		made, err := store.Create(t.Context(), Draft{Title: title, Body: "of " + title})
		if err != nil {
			t.Fatal(err)
		}
		if made.Title != title || made.Body != "of "+title || time.Since(made.CreatedAt).Abs() > time.Minute {
			t.Errorf("created: %+v", made)
		}
		got, err := store.Get(t.Context(), made.ID)
		if err != nil || got.Title != made.Title || got.Body != made.Body || !got.CreatedAt.Equal(made.CreatedAt) {
			t.Errorf("got %+v, %v; made %+v", got, err, made)
		}
		ids = append(ids, made.ID)
	}

	expect := func(limit, offset int, want ...int64) {
		t.Helper()
		page, err := store.List(t.Context(), limit, offset)
		if err != nil || len(page) != len(want) {
			t.Fatalf("listed %v, %v", page, err)
		}
		for i := range want {
			if page[i].ID != want[i] {
				t.Errorf("listed %v, want ids %v", page, want)
			}
		}
	}
	expect(10, 0, ids[2], ids[1], ids[0])
	expect(1, 1, ids[1])
	expect(10, 3)

	if err := store.Delete(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	expect(10, 0, ids[2], ids[0])
	if _, err := store.Get(t.Context(), ids[1]); !errors.Is(err, ErrNotFound) {
		t.Errorf("get what was deleted: %v", err)
	}
	if err := store.Delete(t.Context(), ids[1]); !errors.Is(err, ErrNotFound) {
		t.Errorf("delete it again: %v", err)
	}

	_, err = store.Create(t.Context(), Draft{})
	if err == nil || !strings.Contains(err.Error(), "notes_title_not_empty") || database.Unreachable(err) {
		t.Errorf("an empty title past the service's own check: %v", err)
	}
}
