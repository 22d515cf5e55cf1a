package scratch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestAScratchIsGoneWithItsRun(t *testing.T) {
	build := filepath.Join(t.TempDir(), "build")
	s, err := Open(build)
	must(t, err)
	other, err := Open(build) // another run in the same clone, which sweeps
	must(t, err)
	must(t, s.Write(filepath.Join(build, "reports", "a.xml"), []byte("report"), 0o644))
	must(t, other.Write(filepath.Join(build, "reports", "a.xml"), []byte("newer"), 0o755))
	if data, err := os.ReadFile(filepath.Join(build, "reports", "a.xml")); err != nil || string(data) != "newer" {
		t.Errorf("the report is %q (%v)", data, err)
	}
	if info, err := os.Stat(filepath.Join(build, "reports", "a.xml")); err != nil || info.Mode() != 0o755 {
		t.Errorf("the report's mode is %v (%v)", info.Mode(), err)
	}
	s.Close()
	other.Close()
	if left, err := filepath.Glob(filepath.Join(build, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestWhatAKilledRunLeftIsRemovedAndNothingElse(t *testing.T) {
	build := t.TempDir()
	for _, name := range []string{".slipway-123/oci-1/blobs/sha256/abc", ".slipway-9/file-1", ".slipway/ping.json", "ping.oci/index.json"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(build, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(build, name), nil, 0o600))
	}
	s, err := Open(build)
	must(t, err)
	defer s.Close()
	left, err := os.ReadDir(build)
	must(t, err)
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if len(names) != 3 || names[0] != ".slipway" || names[1] != filepath.Base(s.Path) || names[2] != "ping.oci" {
		t.Errorf("there are %v", names)
	}
}

// Many runs begin and end at once: none sweeps another's scratch away.
func TestScratchesOfRunsThatBeginAtOnce(t *testing.T) {
	build := t.TempDir()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				s, err := Open(build)
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				if err := s.Write(filepath.Join(build, "out"), []byte("x"), 0o644); err != nil {
					t.Errorf("write: %v", err)
				}
				s.Close()
			}
		})
	}
	wg.Wait()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
