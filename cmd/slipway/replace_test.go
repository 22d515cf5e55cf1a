package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The new file is made beside the old one: what is elsewhere may be another disk's, and cannot take
// its place.
func TestAFileIsReplacedWhereItIs(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "not there"))
	for _, text := range []string{"first", "second"} {
		if err := replaceFile("plan.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile("plan.json"); err != nil || string(got) != text {
			t.Errorf("it holds %q (%v), want %q", got, err, text)
		}
		if err := os.Chmod("plan.json", 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := replaceFile("plan.json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("plan.json"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v (%v)", info.Mode(), err)
	}
	if left, err := filepath.Glob(".*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %v (%v)", left, err)
	}
}
