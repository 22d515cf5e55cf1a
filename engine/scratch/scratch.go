// Package scratch is where a run makes what it exports, beside its place, so that it can be
// moved there in one step.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Dir is one run's scratch directory. Its lock ends with the process, however that ends: a
// scratch that nobody holds was left by a run that was killed, and the next run removes it.
type Dir struct {
	Path string
	lock *flock.Flock
}

const pattern = ".slipway-*"

// Open makes a scratch directory below the build directory, which it makes too.
func Open(build string) (*Dir, error) {
	if err := os.MkdirAll(build, 0o755); err != nil {
		return nil, fmt.Errorf("making the build directory: %w", err)
	}
	if err := sweep(build); err != nil {
		return nil, fmt.Errorf("removing what a killed run left in %s: %w", build, err)
	}
	for {
		dir, err := os.MkdirTemp(build, pattern)
		if err != nil {
			return nil, fmt.Errorf("making room for outputs: %w", err)
		}
		lock := lockOf(dir)
		ok, err := lock.TryLock()
		if ok {
			if _, err = os.Stat(dir); err == nil {
				return &Dir{Path: dir, lock: lock}, nil
			}
		}
		_ = lock.Close()
		// Another run's sweep came between the two calls, and removes the directory.
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("making room for outputs: %w", err)
		}
	}
}

// sweep removes the scratch directories that no living run holds.
func sweep(build string) error {
	found, err := filepath.Glob(filepath.Join(build, pattern))
	if err != nil {
		return err
	}
	for _, dir := range found {
		lock := lockOf(dir)
		ok, err := lock.TryLock()
		if ok {
			err = os.RemoveAll(dir)
		}
		_ = lock.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lockOf locks a directory itself, not a file in it.
func lockOf(dir string) *flock.Flock { return flock.New(dir, flock.SetFlag(os.O_RDONLY)) }

// Close removes what was not moved away.
func (s *Dir) Close() {
	// A cancelled export may still write: it ends when its directory is gone.
	for tries := 0; os.RemoveAll(s.Path) != nil && tries < 100; tries++ {
	}
	_ = s.lock.Close()
}

// Write replaces a file in one step.
func (s *Dir) Write(name string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := WriteFile(s.Path, name, data, mode); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// WriteFile writes a file below tmp and moves it to its name.
func WriteFile(tmp, name string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(tmp, "file-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return err
}
