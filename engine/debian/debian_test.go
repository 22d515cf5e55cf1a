package debian

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPackageComesOnceForManyCallers(t *testing.T) {
	calls := countCalls(t, "apt-get")
	cache := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			root, err := Unpack(t.Context(), cache, nil, "busybox-static")
			if err != nil {
				t.Error(err)
				return
			}
			out, err := exec.Command(filepath.Join(root, "bin", "busybox"), "echo", "it runs").CombinedOutput()
			if err != nil || string(out) != "it runs\n" {
				t.Errorf("busybox printed %q, %v", out, err)
			}
		})
	}
	all.Wait()
	if n := calls("download"); n != 1 {
		t.Errorf("apt-get download ran %d times, want once", n)
	}

	t.Setenv("PATH", t.TempDir()) // nothing can be started
	if _, err := Unpack(t.Context(), cache, nil, "busybox-static", "busybox-static"); err != nil {
		t.Errorf("a package that is there: %v", err)
	}
}

func TestFreshMachineFetchesListsOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	aptConfig(t, `Dir::State::lists "`+dir+`/none";`)
	calls := countCalls(t, "apt-get")
	cache := t.TempDir()
	root, err := Unpack(t.Context(), cache, nil, "busybox-static")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "busybox")); err != nil {
		t.Error(err)
	}
	if calls("update") != 1 {
		t.Error("the package came without package lists")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "none", "*Packages*")); len(left) > 0 {
		t.Errorf("the system's lists were written to: %v", left)
	}
}

func TestUnknownPackage(t *testing.T) {
	cache := t.TempDir()
	_, err := Unpack(t.Context(), cache, nil, "no-such-package-anywhere")
	if err == nil || !strings.Contains(err.Error(), "have no package no-such-package-anywhere; check its name") {
		t.Errorf("got %v", err)
	}
	for _, pattern := range []string{".tmp-*", "no-such*"} {
		if left, _ := filepath.Glob(filepath.Join(cache, "debian", "*", pattern)); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestUnreachableMirrors(t *testing.T) {
	aptConfig(t, `Dir::State::lists "`+t.TempDir()+`/none";
Acquire::http::Proxy "http://127.0.0.1:1"; Acquire::https::Proxy "http://127.0.0.1:1"; Acquire::Retries "0";`)
	_, err := Unpack(t.Context(), t.TempDir(), nil, "busybox-static")
	if err == nil || !strings.Contains(err.Error(), "the package mirrors of /etc/apt do not answer; check the network") {
		t.Errorf("got %v", err)
	}
}

func TestBadRequests(t *testing.T) {
	for name, packages := range map[string][]string{
		"option": {"-y"}, "path": {"../etc"}, "version": {"runc=1"}, "upper case": {"Runc"}, "empty": {""}, "none": {},
	} {
		cache := t.TempDir()
		if _, err := Unpack(t.Context(), cache, nil, packages...); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left, _ := os.ReadDir(cache); len(left) != 0 {
			t.Errorf("%s: wrote into the cache", name)
		}
	}
	if _, err := UnpackFor(t.Context(), t.TempDir(), "pdp11", nil, "runc"); err == nil || !strings.Contains(err.Error(), "use one of 386, amd64") {
		t.Errorf("architecture: got %v", err)
	}
}

func TestNotDebian(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Unpack(t.Context(), t.TempDir(), nil, "runc")
	if !errors.Is(err, ErrNoApt) || !strings.Contains(err.Error(), "install the program") {
		t.Errorf("got %v", err)
	}
}

func TestWaitingForAnotherEndsWithTheContext(t *testing.T) {
	programs := t.TempDir()
	started := filepath.Join(programs, "started")
	script(t, filepath.Join(programs, "apt-get"), "touch "+started+"; exec sleep 60")
	script(t, filepath.Join(programs, "dpkg-deb"), "exit 1")
	t.Setenv("PATH", programs+":"+os.Getenv("PATH"))
	cache := t.TempDir()
	slow, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := Unpack(slow, cache, nil, "runc")
		ended <- err
	}()
	waitFor(t, started)

	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if _, err := Unpack(short, cache, nil, "runc"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: got %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("fetching: got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "debian", "*", ".tmp-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestForeignArchitecture(t *testing.T) {
	arch := "arm64"
	if debianArch["arm64"] == hostArch(t) {
		arch = "amd64"
	}
	root, err := UnpackFor(t.Context(), t.TempDir(), arch, nil, "busybox-static")
	if err != nil {
		t.Fatal(err)
	}
	if got := machineOf(t, filepath.Join(root, "bin", "busybox")); got != arch {
		t.Errorf("the program is for %s, want %s", got, arch)
	}
}

func TestRelease(t *testing.T) {
	file := filepath.Join(t.TempDir(), "os-release")
	for content, want := range map[string]string{
		"NAME=x\nVERSION_CODENAME=trixie\n": "trixie",
		"VERSION_CODENAME=\"noble\"\n":      "noble",
		"VERSION_CODENAME=../up\n":          "unknown",
		"NAME=x\n":                          "unknown",
	} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := release(file); got != want {
			t.Errorf("%q: got %s, want %s", content, got, want)
		}
	}
}
