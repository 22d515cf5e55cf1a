package cachedir_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/test/cachedir"
)

func keep(string) error { return nil }

func TestADirectoryIsRemovedWithItsTestAfterWhatRunsThere(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var dir string
	stopped := 0
	t.Run("owner", func(t *testing.T) {
		dir = cachedir.Run(t, "thing", func(of string) error {
			stopped++
			_, err := os.Stat(of)
			return err
		})
	})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || stopped != 1 {
		t.Errorf("after the test %s is there (%v), and what ran was stopped %d times", dir, err, stopped)
	}
}

func TestWhatAKilledTestLeftIsRemovedAndWhatALivingOneHasIsNot(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_VICTIM") != "" {
		cachedir.Run(t, "thing", keep)
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		_ = self.Kill()
		select {}
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	mine := cachedir.Run(t, "thing", keep)

	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), "SLIPWAY_TEST_VICTIM=1")
	if out, err := victim.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the victim ended with %v:\n%s", err, out)
	}
	if dirs := things(t, temp); len(dirs) != 2 {
		t.Fatalf("there are %v, want the victim's directory and this test's", dirs)
	}
	next := cachedir.Run(t, "thing", keep)
	if dirs := things(t, temp); len(dirs) != 2 || !slices.Contains(dirs, mine) || !slices.Contains(dirs, next) {
		t.Errorf("there are %v, want %s and %s", dirs, mine, next)
	}
}

func things(t *testing.T, temp string) (dirs []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(temp, "slipway-test", "thing-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if !strings.HasSuffix(path, ".lock") {
			dirs = append(dirs, path)
		}
	}
	return dirs
}
