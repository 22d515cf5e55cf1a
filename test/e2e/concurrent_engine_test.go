package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Two commands at once, in two clones, of one engine: each has its own files, and both
// build the same.
func TestTwoBuildsAtOnceEndWell(t *testing.T) {
	env := alpine(t)
	g := newGate(t)
	r := packed(t, map[string]string{"Dockerfile": g.dockerfile(), "app.txt": "app\n"})
	clone := r.Clone(t)
	first := in(r.Dir, env...).start(t, "build:service", "box")
	g.wait(t, first)
	second := in(clone.Dir, env...).start(t, "build:service", "box")
	eventually(t, "the second build is at the step that the first runs", func() bool {
		return strings.Contains(second.Stderr.String(), "RUN wget")
	})
	g.open()
	a, b := first.wait(t).Exits(t, 0), second.wait(t).Exits(t, 0)
	if a.Stdout != b.Stdout {
		t.Errorf("they gave %q and %q", a.Stdout, b.Stdout)
	}
	for _, dir := range []string{r.Dir, clone.Dir} {
		if left := leftovers(t, dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// A killed command's image does not keep another command, in the same clone, from its own.
func TestTwoBuildsAtOnceInOneCloneKeepOutOfEachOthersWay(t *testing.T) {
	env := alpine(t)
	g := newGate(t)
	r := packed(t, map[string]string{"Dockerfile": g.dockerfile(), "app.txt": "app\n"})
	held := in(r.Dir, env...).start(t, "build:service", "box")
	g.wait(t, held)
	if left := leftovers(t, r.Dir); len(left) != 1 {
		t.Fatalf("a running build has %v", left)
	}
	r.Write("services/box/Dockerfile", "FROM alpine:3.20\nCOPY app.txt /\n")
	r.Commit("Wait for nobody", later(1))
	in(r.Dir, env...).slipway(t, "build:service", "box").Exits(t, 0)
	if left := leftovers(t, r.Dir); len(left) != 1 {
		t.Errorf("beside the running build's there is %v", left)
	}
	g.open()
	held.wait(t).Exits(t, 0)
	if left := leftovers(t, r.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The cache directory's disk fills up in mid-build: the command says so and ends.
func TestAFullDiskIsNamed(t *testing.T) {
	env := alpine(t)
	small := t.TempDir()
	must(t, unix.Mount("slipway-test", small, "tmpfs", 0, "size=24m"))
	t.Cleanup(func() {
		stopEngine(t, small)
		if err := unix.Unmount(small, 0); err != nil {
			t.Errorf("something still uses the disk: %v", err)
			_ = unix.Unmount(small, unix.MNT_DETACH)
		}
	})
	shareDear(t, small)
	r := packed(t, map[string]string{"Dockerfile": "FROM alpine:3.20\nRUN dd if=/dev/zero of=/big bs=1M count=100\n"})
	p := in(r.Dir, append(env, "SLIPWAY_CACHE="+small)...).start(t, "build:service", "box")
	select {
	case <-p.Done:
	case <-time.After(3 * time.Minute): // a hang, not slowness: 24 MB are full in a second
		t.Fatalf("it hangs:\n%s", p.Stderr.String())
	}
	res := p.wait(t).Exits(t, 1)
	if !strings.Contains(strings.ToLower(res.Stderr), "no space left on device") || !strings.Contains(res.Stderr, "free some space") {
		t.Errorf("it says:\n%s", res.Stderr)
	}
	if found, err := filepath.Glob(filepath.Join(r.Dir, "build", "*.oci")); err != nil || len(found) > 0 {
		t.Errorf("there is %v (%v)", found, err)
	}
}
