package e2e

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOneCommitIsOneDigestInAnyClone(t *testing.T) {
	r := sample(t, "same")
	// Files of the repository in an image, with no modes given.
	r.Write("services/same/Dockerfile", read(t, file(r, "services/Dockerfile"))+"COPY same/data same/run.sh /opt/\n")
	r.Write("services/same/data/some.txt", "some\n")
	r.Write("services/same/run.sh", "#!/bin/sh\n")
	r.Commit("Pack files", later(1))
	one := r.Clone(t)
	old := syscall.Umask(0o077)
	two := r.Clone(t)
	syscall.Umask(old)
	must(t, filepath.WalkDir(two.Dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" && d.IsDir() {
			return err
		}
		return os.Chtimes(p, time.Unix(1e9, 0), time.Unix(1e9, 0))
	}))
	if info, err := os.Stat(file(two, "services/same/main.go")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the second clone has ordinary modes: %v %v", info, err)
	}
	a := in(one.Dir).slipway(t, "build:service", "same").Exits(t, 0)
	forget(t, "same") // or the second clone would only be shown what the first built
	b := in(two.Dir).slipway(t, "build:service", "same").Exits(t, 0)
	for _, step := range []string{"build same", "lint same", "test same", "image same"} {
		if state := readRecord(t, two).states(t, "same")[step]; state != "done" {
			t.Errorf("in the second clone %s was %s", step, state)
		}
	}
	if a.Stdout != b.Stdout {
		t.Errorf("two clones of one commit give\n%s%s", a.Stdout, b.Stdout)
	}
	if read(t, file(one, "build/same")) != read(t, file(two, "build/same")) {
		t.Error("the binaries differ")
	}
}

func TestAnotherCommitOfOneContentKeepsTheLayers(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	before, _ := image(t, r, "alpha")
	r.Git("commit", "-q", "--amend", "--allow-empty", "-m", "Start, said better")
	in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	after, config := image(t, r, "alpha")
	if layers(t, before) != layers(t, after) {
		t.Errorf("the layers were\n%s, and are\n%s", layers(t, before), layers(t, after))
	}
	if digest(t, before) == digest(t, after) || config.Config.Labels["org.opencontainers.image.revision"] != r.Head() {
		t.Errorf("the image still names the old commit: %v", config.Config.Labels)
	}
	for step, state := range readRecord(t, r).states(t, "alpha") {
		if state != "cached" {
			t.Errorf("%s: %s", step, state)
		}
	}
}

func TestAChangeTouchesOnlyWhatUsesIt(t *testing.T) {
	r := sample(t, "alpha", "beta")
	first := lines(in(r.Dir).slipway(t, "build:all").Exits(t, 0))

	// Content that the engine has not seen in an earlier run of this test either.
	r.Write("services/alpha/main.go", strings.ReplaceAll(mainGo, "NAME", rand.Text()))
	head := r.Commit("Change alpha", later(1))
	second := lines(in(r.Dir).slipway(t, "build:all").Exits(t, 0))
	if second["beta"] != first["beta"] {
		t.Errorf("alpha was changed, and beta was\n%s and is\n%s", first["beta"], second["beta"])
	}
	if !strings.HasPrefix(second["alpha"], "20240726_"+head[:8]+" sha256:") {
		t.Errorf("alpha is %s", second["alpha"])
	}
	rec := readRecord(t, r)
	for step, state := range rec.states(t, "beta") {
		if state != "cached" {
			t.Errorf("alpha was changed, and %s was %s", step, state)
		}
	}
	for _, step := range []string{"build alpha", "lint alpha", "test alpha", "image alpha"} {
		if state := rec.states(t, "alpha")[step]; state != "done" {
			t.Errorf("alpha was changed, and %s was %s", step, state)
		}
	}

	r.Write("services/greet/greet.go", strings.ReplaceAll(greetGo, "return", "return \"\" +"))
	r.Write("services/beta/README.md", "What no input is.\n")
	head = r.Commit("Change what both use", later(2))
	for service, line := range lines(in(r.Dir).slipway(t, "build:all").Exits(t, 0)) {
		if !strings.HasPrefix(line, "20240727_"+head[:8]+" sha256:") {
			t.Errorf("greet was changed, and %s is %s", service, line)
		}
	}

	r.Write("services/beta/README.md", "Still no input.\n")
	r.Commit("Write about beta", later(3))
	if got := lines(in(r.Dir).slipway(t, "build:service", "beta").Exits(t, 0))["beta"]; !strings.HasPrefix(got, "20240727_"+head[:8]) {
		t.Errorf("prose was changed, and beta is %s", got)
	}
}

func TestUncommittedChangesAreInTheTag(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("services/alpha/main.go", strings.ReplaceAll(mainGo, "NAME", "dirty"))
	got := in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	img, _ := image(t, r, "alpha")
	if want := "alpha 20240725_" + r.Head()[:8] + "-dirty " + digest(t, img) + "\n"; got.Stdout != want {
		t.Errorf("stdout is\n%s, want\n%s", got.Stdout, want)
	}
}

// lines are the results on stdout by service: "TAG sha256:…".
func lines(r result) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(r.Stdout) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		out[name] = rest
	}
	return out
}
