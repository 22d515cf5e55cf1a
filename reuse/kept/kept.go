// Package kept keeps what was built and checked on this machine, for this machine: signed with a
// key that never leaves it, so that what lies there by other ways does not count.
package kept

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"slipway/reuse"
	"slipway/secret"
)

// keepFor is how long a record is kept that nobody has asked for.
const keepFor = 30 * 24 * time.Hour

// Store is a directory of records.
type Store struct{ dir string }

// Open names the store of a cache directory. Nothing is made before something is kept.
func Open(cacheDir string) *Store { return &Store{filepath.Join(cacheDir, "reuse")} }

var inputsTag = regexp.MustCompile(`^inputs-[0-9a-f]{64}$`)

func (s *Store) file(image, tag string) (string, error) {
	if !inputsTag.MatchString(tag) {
		return "", fmt.Errorf("%q is no tag of inputs", tag)
	}
	sum := sha256.Sum256([]byte(image))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:8]), tag+".json"), nil
}

// Read gives the envelope that is kept of an image's inputs, nil where none is.
func (s *Store) Read(image, tag string) ([]byte, error) {
	name, err := s.file(image, tag)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was built here: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, reuse.MaxEnvelope+1))
	if err != nil {
		return nil, fmt.Errorf("reading what was built here: %w", err)
	}
	now := time.Now()
	_ = os.Chtimes(name, now, now) // asked for; where that is not known, it is only forgotten sooner
	return data, nil
}

// Write keeps an envelope.
func (s *Store) Write(image, tag string, envelope []byte) error {
	name, err := s.file(image, tag)
	if err != nil {
		return err
	}
	if err := write(name, envelope); err != nil {
		return fmt.Errorf("keeping what was built here: %w", err)
	}
	s.forget(filepath.Dir(name))
	return nil
}

// Drop forgets a record, whose image is gone say.
func (s *Store) Drop(image, tag string) {
	if name, err := s.file(image, tag); err == nil {
		_ = os.Remove(name)
	}
}

// forget removes records that nobody has asked for lately.
func (s *Store) forget(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > keepFor {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Key is this machine's, made when it is first needed; create says whether it is now. Without a
// key, and without an error, nothing was ever kept.
func (s *Store) Key(create bool) (*reuse.PrivateKey, error) {
	name := filepath.Join(s.dir, "machine.key")
	data, err := os.ReadFile(name)
	switch {
	case err == nil:
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("reading this machine's key: %w", err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("this machine's key %s may be read by others (mode %04o): remove it, and another one is made", name, info.Mode().Perm())
		}
		key, err := reuse.ParsePrivate(secret.New(string(data)))
		if err != nil {
			return nil, fmt.Errorf("this machine's key %s is damaged: %w. Remove it, and another one is made", name, err)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading this machine's key: %w", err)
	case !create:
		return nil, nil
	}
	private, _, err := reuse.Generate()
	if err != nil {
		return nil, err
	}
	if err := createOnce(name, []byte(private.Reveal())); err != nil {
		return nil, fmt.Errorf("keeping this machine's key: %w", err)
	}
	return s.Key(false) // another process may have been first
}

// createOnce writes a file whole, unless there is one.
func createOnce(name string, data []byte) error {
	tmp, err := temporary(name, data)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := os.Link(tmp, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// write replaces a file whole.
func write(name string, data []byte) error {
	tmp, err := temporary(name, data)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }() // not there any more, where all went well
	return os.Rename(tmp, name)
}

// temporary writes a file beside another, for this user alone.
func temporary(name string, data []byte) (string, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	return f.Name(), errors.Join(err, f.Close())
}
