package buildkit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tonistiigi/fsutil"

	"slipway/engine/packing"
	"slipway/pipeline"
)

// onDiskTree writes files; a content that begins with "#!" is executable, one that begins
// with "-> " a symbolic link.
func onDiskTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if target, link := strings.CutPrefix(content, "-> "); link {
			must(t, os.Symlink(target, file))
			continue
		}
		mode := os.FileMode(0o640)
		if strings.HasPrefix(content, "#!") {
			mode = 0o700
		}
		must(t, os.WriteFile(file, []byte(content), mode))
	}
	return dir
}

func walked(t *testing.T, s fsutil.FS, target string, skip string) (lines []string) {
	t.Helper()
	must(t, s.Walk(t.Context(), target, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		lines = append(lines, fmt.Sprintf("%s %s %d", info.Mode(), path, info.Size()))
		if path == skip {
			return fs.SkipDir
		}
		return nil
	}))
	return lines
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASourceHasItsFilesInTheOrderThatBuildKitWants(t *testing.T) {
	dir := onDiskTree(t, map[string]string{
		"a/b/c.txt": "c", "a-b/run.sh": "#!/bin/sh\n", "a.txt": "1234", "a/link": "-> b/c.txt", "not/asked/for": "x",
	})
	s, err := newSource(dir, &pipeline.Source{Root: ".", Files: []string{"a-b/run.sh", "a.txt", "a/b/c.txt", "a/link"}})
	must(t, err)
	want := []string{
		// "a/…" before "a-b": BuildKit compares path by path element, not by byte.
		"drwxr-xr-x a 0", "drwxr-xr-x a/b 0", "-rw-r--r-- a/b/c.txt 1", "Lrwxrwxrwx a/link 7",
		"drwxr-xr-x a-b 0", "-rwxr-xr-x a-b/run.sh 10", "-rw-r--r-- a.txt 4",
	}
	if diff := cmp.Diff(want, walked(t, s, "", "")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:4], walked(t, s, "a", "")[1:]); diff != "" {
		t.Errorf("below a (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Concat(want[:1], want[4:]), walked(t, s, "", "a")); diff != "" {
		t.Errorf("without what is in a (-want +got):\n%s", diff)
	}
	f, err := s.Open("a/b/c.txt")
	must(t, err)
	defer func() { _ = f.Close() }()
	if data, err := io.ReadAll(f); err != nil || string(data) != "c" {
		t.Errorf("a/b/c.txt has %q (%v)", data, err)
	}
	for _, name := range []string{"not/asked/for", "a/b/c.tx", "zzz", ""} {
		if _, err := s.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opening %q: %v, want that it is not there", name, err)
		}
	}
}

// BuildKit and go test look at a file's size and time alone, so the time is made of the
// content: an edit that keeps the size is seen, and a clone's other time is not.
func TestASourcesTimesAreMadeOfContent(t *testing.T) {
	times := func(content string, on time.Time) map[string]int64 {
		dir := onDiskTree(t, map[string]string{"f.txt": content, "run.sh": "#!" + content})
		must(t, os.Chtimes(filepath.Join(dir, "f.txt"), on, on))
		s, err := newSource(dir, &pipeline.Source{Root: ".", Files: []string{"f.txt", "run.sh"}})
		must(t, err)
		out := map[string]int64{}
		for _, e := range s.entries {
			out[e.path] = e.time
		}
		return out
	}
	first := times("one", created)
	if diff := cmp.Diff(first, times("one", created.AddDate(1, 0, 0))); diff != "" {
		t.Errorf("another clone:\n%s", diff)
	}
	edited := times("two", created)
	for name, was := range first {
		if edited[name] == was {
			t.Errorf("an edit of %s that keeps its size is not seen", name)
		}
	}
	for _, hash := range [][]byte{{0, 0, 0, 0}, {255, 255, 255, 255}} {
		if year := packing.ContentTime(hash).Year(); year < 1980 || year > 2116 {
			t.Errorf("content of hash %x is of the year %d", hash, year)
		}
	}
}

func TestASourceThatVanished(t *testing.T) {
	dir := onDiskTree(t, map[string]string{"a.txt": "a"})
	_, err := newSource(dir, &pipeline.Source{Root: ".", Files: []string{"a.txt", "b.txt"}})
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(fmt.Sprint(err), "reading a source file: ") {
		t.Errorf("newSource: %v", err)
	}
}

// created is some commit's time.
var created = time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC)
