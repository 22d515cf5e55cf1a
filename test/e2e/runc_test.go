package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoRuncAndNoWayToGetOne(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0) // the engine is compiled
	before := withoutStory(tree(t, file(r, "build")))
	bin, state := t.TempDir(), t.TempDir()
	git, err := exec.LookPath("git")
	must(t, err)
	must(t, os.Symlink(git, filepath.Join(bin, "git")))
	must(t, os.Symlink(filepath.Join(cache, "bin"), filepath.Join(state, "bin")))
	got := in(r.Dir, "PATH="+bin, "SLIPWAY_CACHE="+state).slipway(t, "build:service", "alpha").Exits(t, 1)
	want := "slipway: starting the embedded engine: the embedded engine needs runc with seccomp: there is none on PATH, and Debian's could not be had (" +
		"fetching the Debian packages runc: this machine has no apt-get and dpkg-deb, so it is not a Debian or Ubuntu; install the program with this system's own package manager so that it is on PATH, or use another engine (SLIPWAY_ENGINE=docker or dagger)); install runc, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit\n"
	if !strings.HasSuffix(got.Stderr, want) || got.Stdout != "" {
		t.Errorf("stderr ends\n%s, want\n%s", end(got.Stderr), want)
	}
	if after := withoutStory(tree(t, file(r, "build"))); after != before {
		t.Errorf("build/ was\n%s and is\n%s", before, after)
	}
}
