package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// same reports whether dir holds exactly the files, with their modes and contents.
func (t *tree) same(dir string) (bool, error) {
	want := map[string]listed{}
	for _, item := range t.list {
		want[item.path] = item
	}
	walker := t.Walk(dir)
	for walker.Step() {
		if errors.Is(walker.Err(), fs.ErrNotExist) {
			return false, nil
		}
		if walker.Err() != nil {
			return false, fmt.Errorf("comparing with the files there: %w", walker.Err())
		}
		name := strings.TrimPrefix(strings.TrimPrefix(walker.Path(), dir), "/")
		if name == "" {
			continue
		}
		item, wanted := want[name]
		there := walker.Stat()
		if !wanted || there.IsDir() != item.info.IsDir() || there.Mode().Perm() != mode(item.info) {
			return false, nil
		}
		delete(want, name)
		if there.IsDir() {
			continue
		}
		equal, err := t.equal(name, walker.Path(), there)
		if err != nil || !equal {
			return false, err
		}
	}
	return len(want) == 0, nil
}

func (t *tree) equal(name, remote string, there fs.FileInfo) (bool, error) {
	here, err := fs.ReadFile(t.files, name)
	if err != nil {
		return false, err
	}
	if !there.Mode().IsRegular() || there.Size() != int64(len(here)) {
		return false, nil
	}
	file, err := t.Open(remote)
	if errors.Is(err, fs.ErrPermission) {
		return false, nil // a file of ours whose mode forbids reading; it is written anew
	}
	if err != nil {
		return false, fmt.Errorf("comparing with the files there: %w", err)
	}
	defer file.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(file)
	return bytes.Equal(data, here), err
}
