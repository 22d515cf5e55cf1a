package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnyPathAndAGitWorktreeGiveTheSame(t *testing.T) {
	r := sample(t, "alpha")
	want := in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0).Stdout
	tree := filepath.Join(t.TempDir(), "tree")
	r.Git("worktree", "add", "-q", tree)
	odd := filepath.Join(t.TempDir(), `my repo's ü #1 "$HOME"`)
	must(t, os.Rename(r.Clone(t).Dir, odd))
	for _, dir := range []string{tree, odd} {
		if got := in(dir).slipway(t, "build:service", "alpha").Exits(t, 0).Stdout; got != want {
			t.Errorf("in %s stdout is\n%s, want\n%s", dir, got, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "build", "alpha.oci", "index.json")); err != nil {
			t.Error(err)
		}
	}
}

// What CI checks out: a detached HEAD with one commit of history.
func TestAShallowCloneBuildsUnderHead(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("README.md", "No input.\n")
	head := r.Commit("Write about it", later(1))
	clone := r.ShallowClone(t, 1)
	clone.Git("checkout", "-q", "--detach")
	clone.Git("remote", "set-url", "origin", "file:///nowhere")
	got := in(clone.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	warning := "slipway: warning: this clone's history is too short to know which commit last changed alpha, and the remote did not give more: HEAD names it. Fetch all history in CI (GIT_DEPTH: 0, or fetch-depth: 0).\n"
	if !strings.HasPrefix(got.Stdout, "alpha 20240726_"+head[:8]+" sha256:") || !strings.HasPrefix(got.Stderr, warning) {
		t.Errorf("stdout is %s, and stderr begins\n%.400s\nwant\n%s", got.Stdout, got.Stderr, warning)
	}
}

// A service may have no image: it is checked, and its line ends with the tag.
func TestAServiceWithoutADockerfile(t *testing.T) {
	r := sample(t, "alpha.v2_b-c")
	r.Remove("services/Dockerfile")
	r.Remove("services/.dockerignore")
	r.Commit("Have no image", later(1))
	got := in(r.Dir).slipway(t, "build:service", "alpha.v2_b-c").Exits(t, 0)
	if want := "alpha.v2_b-c 20240726_" + r.Head()[:8] + "\n"; got.Stdout != want {
		t.Errorf("stdout is %s, want %s", got.Stdout, want)
	}
	must(t, os.RemoveAll(file(r, "build")))
	refused(t, in(r.Dir, "REGISTRY=127.0.0.1:1"), 2, "alpha.v2_b-c cannot be pushed: there is no Dockerfile in services/alpha.v2_b-c or in services/", "image:push", "alpha.v2_b-c")
}

// A cached build does not write what is there, and what is not there or not as it was
// comes back.
func TestWhatIsMissingOrChangedBelowBuildIsWrittenAgain(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	img, _ := image(t, r, "alpha")
	want := digest(t, img)
	binary := read(t, file(r, "build/alpha"))
	config, err := img.ConfigName()
	must(t, err)
	for _, path := range []string{"alpha", "reports/alpha.junit.xml", "reports/alpha.cobertura.xml", "reports/alpha.codequality.json", "alpha.oci/index.json", "alpha.oci/blobs/sha256/" + config.Hex} {
		for what, harm := range map[string]func(string) error{
			"removed": os.Remove,
			"emptied": func(f string) error { return os.Truncate(f, 0) },
		} {
			must(t, harm(file(r, "build/"+path)))
			in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
			if info, err := os.Stat(file(r, "build/"+path)); err != nil || info.Size() == 0 {
				t.Errorf("build/%s was %s and is not back: %v", path, what, err)
			}
		}
	}
	if read(t, file(r, "build/alpha")) != binary {
		t.Error("build/alpha is another")
	}
	if img, _ = image(t, r, "alpha"); digest(t, img) != want {
		t.Error("build/alpha.oci is another")
	}
}
