package slipwaycmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"slipway/engine/embedded"
	"slipway/test/cachedir"
)

// Cache is a SLIPWAY_CACHE that is kept between test runs, with the embedded engine's state.
type Cache struct {
	Dir   string
	users *flock.Flock
}

// OpenCache opens the cache of a name. Test processes share its engine; the last one to close
// the cache stops it. What is dear to make and does not change (the engine's binary, its runc, the
// toolchains) is shared with like, another one's name; "" for none.
func OpenCache(name, like string) (*Cache, error) {
	dir, err := cachedir.Path(name)
	if err != nil {
		return nil, err
	}
	if like != "" {
		if err := share(dir, like); err != nil {
			return nil, err
		}
	}
	c := &Cache{Dir: dir, users: flock.New(filepath.Join(dir, "tests.lock"))}
	return c, c.users.RLock()
}

func share(dir, like string) error {
	for _, name := range []string{"bin", "debian", "toolchain"} {
		shared, err := cachedir.Path(like, name)
		if err != nil {
			return err
		}
		if err := os.Symlink(shared, filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// Close lets go of it.
func (c *Cache) Close() error {
	_ = c.users.Close()
	if last, err := c.users.TryLock(); err != nil || !last {
		return err
	}
	defer func() { _ = c.users.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return embedded.Stop(ctx, c.Dir)
}

// HoldMirrors keeps other test processes that ask for it from using the engine of the cache "e2e"
// until release is called: an engine's mirrors are those of the command that started last.
func HoldMirrors(t testing.TB) (release func()) {
	t.Helper()
	release, err := cachedir.Lock(t.Context(), "e2e-mirrors")
	if err != nil {
		t.Fatal(err)
	}
	return release
}
