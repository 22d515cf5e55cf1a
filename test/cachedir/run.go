package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
)

// Run makes a directory for something that runs (a daemon's data and sockets) and removes
// it with the test. remove gets the directory and must first stop all that uses it.
//
// A test binary that is killed cannot clean up, so the next Run of the same kind does: a
// directory whose lock nobody holds has lost its owner. The path is short, because a unix
// socket's may have 107 bytes.
func Run(t testing.TB, kind string, remove func(dir string) error) string {
	t.Helper()
	parent := filepath.Join(os.TempDir(), "slipway-test")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		t.Fatalf("making a directory for %s: %v", kind, err)
	}
	if err := sweep(parent, kind, remove); err != nil {
		t.Logf("cleaning up after an earlier test that was killed: %v", err)
	}
	dir, lock, err := claim(parent, kind)
	if err != nil {
		t.Fatalf("making a directory for %s: %v", kind, err)
	}
	t.Cleanup(func() {
		if err := discard(dir, lock, remove); err != nil {
			t.Errorf("cleaning up %s: %v", dir, err)
		}
	})
	return dir
}

// claim makes the directory and its lock under the kind's own lock, so that a sweep in
// another process never sees the one without the other.
func claim(parent, kind string) (string, *flock.Flock, error) {
	guard := flock.New(filepath.Join(parent, kind+".guard"))
	if err := guard.Lock(); err != nil {
		return "", nil, err
	}
	defer func() { _ = guard.Unlock() }()
	dir, err := os.MkdirTemp(parent, kind+"-")
	if err != nil {
		return "", nil, err
	}
	lock := flock.New(dir + ".lock")
	if ok, err := lock.TryLock(); err != nil || !ok {
		return "", nil, fmt.Errorf("locking %s: %w", lock.Path(), err)
	}
	return dir, lock, nil
}

func sweep(parent, kind string, remove func(string) error) error {
	guard := flock.New(filepath.Join(parent, kind+".guard"))
	if err := guard.Lock(); err != nil {
		return err
	}
	defer func() { _ = guard.Unlock() }()
	dirs, err := filepath.Glob(filepath.Join(parent, kind+"-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		lock := flock.New(dir + ".lock")
		if ok, err := lock.TryLock(); err != nil || !ok {
			continue // its test is running
		}
		if err := discard(dir, lock, remove); err != nil {
			return err
		}
	}
	return nil
}

func discard(dir string, lock *flock.Flock, remove func(string) error) error {
	defer func() { _ = lock.Unlock() }()
	if err := remove(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Remove(lock.Path())
}
