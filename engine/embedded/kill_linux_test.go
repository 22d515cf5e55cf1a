package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/moby/buildkit/client/llb"
	"golang.org/x/sys/unix"
)

func TestNothingOfAKilledServerStays(t *testing.T) {
	o := options(t)
	killed := started(t, o)
	root, mounts := shell(t)

	// Something that the killed server finished, and something it is in the middle of.
	kept := root.Run(llb.Args([]string{"/bin/sh", "-c", "/bin/busybox cat /proc/sys/kernel/random/uuid >/id"})).Root()
	before, err := solve(t.Context(), t, connect(t, killed), kept, mounts)
	must(t, err)
	mark := fmt.Sprintf("%d", 100000+os.Getpid())
	broken := make(chan error, 1)
	go func() {
		busy := root.Run(llb.Args([]string{"/bin/busybox", "sleep", mark}))
		_, err := solve(t.Context(), t, connect(t, killed), busy.Root(), mounts)
		broken <- err
	}()
	eventually(t, "the container runs", func() bool { return len(processes("sleep\x00"+mark)) == 1 })
	inside := processes("sleep\x00" + mark)[0]
	must(t, syscall.Kill(killed.PID, syscall.SIGKILL))
	wantFailure(t, broken)

	again := started(t, o)
	if again.PID == killed.PID {
		t.Fatal("the killed server is said to run")
	}
	if alive(inside) {
		t.Error("the killed server's container runs on")
	}
	state := filepath.Join(o.CacheDir, "buildkit")
	if left, err := os.ReadDir(filepath.Join(state, "runc")); err != nil || len(left) > 0 {
		t.Errorf("containers left: %v, %v", left, err)
	}
	if m := mountsBelow(t, state); len(m) > 0 {
		t.Errorf("mounts left: %v", m)
	}
	after, err := solve(t.Context(), t, connect(t, again), kept, mounts)
	must(t, err)
	id, err := os.ReadFile(filepath.Join(before, "id"))
	must(t, err)
	wantFile(t, filepath.Join(after, "id"), string(id)) // from the cache, which survived
}

func TestStopEndsABuildAndItsContainer(t *testing.T) {
	o := options(t)
	s := started(t, o)
	root, mounts := shell(t)
	mark := fmt.Sprintf("%d", 200000+os.Getpid())
	ended := make(chan error, 1)
	go func() {
		busy := root.Run(llb.Args([]string{"/bin/busybox", "sleep", mark}))
		_, err := solve(t.Context(), t, connect(t, s), busy.Root(), mounts)
		ended <- err
	}()
	eventually(t, "the container runs", func() bool { return len(processes("sleep\x00"+mark)) == 1 })
	must(t, Stop(t.Context(), o.CacheDir))
	wantFailure(t, ended)
	if left := processes("sleep\x00" + mark); len(left) > 0 {
		t.Errorf("its processes run on: %v", left)
	}
	if m := mountsBelow(t, o.CacheDir); len(m) > 0 {
		t.Errorf("mounts left: %v", m)
	}
	must(t, Stop(t.Context(), o.CacheDir)) // none runs
}

// A cancelled build ends its container and leaves the server to others.
func TestCancelledBuildEndsItsContainer(t *testing.T) {
	s := started(t, options(t))
	root, mounts := shell(t)
	mark := fmt.Sprintf("%d", 300000+os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		busy := root.Run(llb.Args([]string{"/bin/busybox", "sleep", mark}))
		_, err := solve(ctx, t, connect(t, s), busy.Root(), mounts)
		ended <- err
	}()
	eventually(t, "the container runs", func() bool { return len(processes("sleep\x00"+mark)) == 1 })
	cancel()
	wantFailure(t, ended)
	eventually(t, "its container ends", func() bool { return len(processes("sleep\x00"+mark)) == 0 })
	_, err := connect(t, s).Info(t.Context())
	must(t, err)
}

func wantFailure(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a build that was cut off succeeded")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a build that was cut off hangs")
	}
}

// alive says whether a process runs; one that nobody has waited for yet does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

// processes returns those whose command line, of words ended by NUL, holds the text.
func processes(text string) (pids []int) {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(data), text) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(path, "/proc/%d/", &pid); err == nil && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func mountsBelow(t *testing.T, dir string) (found []string) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	for line := range strings.Lines(string(data)) {
		if target := strings.Fields(line)[4]; strings.HasPrefix(target, dir+"/") {
			found = append(found, target)
		}
	}
	return found
}

func lockFile(t *testing.T, path string) (unlock func()) {
	t.Helper()
	lock := flock.New(path)
	ok, err := lock.TryLock()
	must(t, err)
	if !ok {
		t.Fatalf("%s is locked already", path)
	}
	return func() { _ = lock.Close() }
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Unmount(dir, 0); err != nil {
		t.Errorf("something still uses %s: %v", dir, err)
	}
}
