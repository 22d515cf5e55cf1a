package dagger

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/pipeline"
)

// Two clones of a commit are the same source, whatever the umask and the time of each.
func TestAStagedSourceIsTheSameInEveryClone(t *testing.T) {
	staged := func(mode fs.FileMode, at time.Time) []string {
		root, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
		for name, exec := range map[string]fs.FileMode{"svc/a.txt": 0, "svc/sub/run.sh": 0o111, "svc/left-out": 0} {
			file := filepath.Join(root, name)
			must(t, os.MkdirAll(filepath.Dir(file), 0o700))
			must(t, os.WriteFile(file, []byte(filepath.Base(name)), 0o600))
			must(t, os.Chmod(file, mode|exec&mode>>2|exec&0o100))
			must(t, os.Chtimes(file, at, at))
		}
		must(t, os.Symlink("a.txt", filepath.Join(root, "svc/link")))
		must(t, stage(t.Context(), root, &pipeline.Source{Root: "svc", Files: []string{"a.txt", "link", "sub/run.sh"}}, to))
		var list []string
		must(t, filepath.WalkDir(to, func(name string, d fs.DirEntry, err error) error {
			must(t, err)
			info, err := d.Info()
			must(t, err)
			line, _ := filepath.Rel(to, name)
			line += " " + info.Mode().String()
			if d.Type().IsRegular() {
				line += fmt.Sprint(" ", info.ModTime().UTC())
			}
			list = append(list, line)
			return nil
		}))
		return list
	}
	first := staged(0o644, time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC))
	if diff := cmp.Diff(first, staged(0o666, time.Now())); diff != "" {
		t.Errorf("another clone:\n%s", diff)
	}
	for _, want := range []string{". drwxr-xr-x", "link Lrwxrwxrwx", "sub drwxr-xr-x"} {
		if !slices.Contains(first, want) {
			t.Errorf("there is no %q in %q", want, first)
		}
	}
}

func TestASourceThatVanished(t *testing.T) {
	err := stage(t.Context(), t.TempDir(), &pipeline.Source{Root: "svc", Files: []string{"a.txt"}}, t.TempDir())
	if err == nil || err.Error()[:len("svc/a.txt: ")] != "svc/a.txt: " {
		t.Errorf("stage: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
