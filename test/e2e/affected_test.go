package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/test/gitrepo"
)

// withSecond is the sample with a second service that shares nothing with the first.
func withSecond(t testing.TB) *gitrepo.Repo {
	t.Helper()
	r := sample(t, "alpha")
	r.Write("services/omega/main.go", "// Package main does nothing.\npackage main\n\nfunc main() {}\n")
	r.Commit("Add omega", gitrepo.Epoch)
	return r
}

func TestNothingAffectedEndsAtOnce(t *testing.T) {
	r := withSecond(t)
	r.Switch("feature")
	r.Write("README.md", "prose\n")
	r.Commit("Add prose", gitrepo.Epoch)
	// No engine is there to be started.
	got := in(r.Dir, "SLIPWAY_ENGINE=tcp://127.0.0.1:1").slipway(t, "build:affected").Exits(t, 0)
	if want := "slipway: nothing affected: no service is built of anything that has changed since main ("; !strings.Contains(got.Stderr, want) || got.Stdout != "" {
		t.Errorf("stdout %q, stderr %q, want %q", got.Stdout, got.Stderr, want)
	}
}

func TestTheAffectedServicesAreBuilt(t *testing.T) {
	r := withSecond(t)
	r.Switch("feature")
	r.Write("services/omega/more.go", "package main\n")
	got := in(r.Dir).slipway(t, "build:affected").Exits(t, 0)
	if tags := lines(got); len(tags) != 1 || !strings.HasSuffix(strings.Fields(tags["omega"] + " ")[0], "-dirty") {
		t.Errorf("built %q, want omega alone", got.Stdout)
	}
	if !strings.Contains(got.Stderr, "slipway: affected since main (") {
		t.Errorf("it does not say what is affected: %s", got.Stderr)
	}
}

func TestAMergeRequestsTestsAreOfWhatItChanges(t *testing.T) {
	r := withSecond(t)
	r.Switch("feature")
	r.Write("services/omega/more.go", "package main\n")
	r.Commit("Add more", gitrepo.Epoch)
	got := in(r.Dir).slipway(t, "ci:run", "-event=merge", "-labels=tests", "-branch=feature", "-base=main", "-only=check").Exits(t, 0)
	if built := lines(got); len(built) != 1 || built["omega"] == "" {
		t.Errorf("built %q, want omega alone", got.Stdout)
	}
}

func TestABaseThatIsNotThere(t *testing.T) {
	r := withSecond(t)
	got := in(r.Dir).slipway(t, "build:affected", "-base=mian").Exits(t, 2)
	if want := `slipway: there is no branch or commit "mian" to compare with: write -base=BRANCH or -base=COMMIT`; !strings.Contains(got.Stderr, want) {
		t.Errorf("got %s\nwant %s", got.Stderr, want)
	}
	for _, args := range [][]string{{"build:why", "omega", "-base=--output=x"}, {"build:why", "omege"}} {
		in(r.Dir).slipway(t, args...).Exits(t, 2)
	}
}

func TestWhyAServiceIsAffected(t *testing.T) {
	r := withSecond(t)
	start := r.Head()
	r.Switch("feature")
	soon := gitrepo.Epoch.Add(time.Hour)
	r.Write("services/omega/more.go", "package main\n")
	one := r.Commit("Add more", soon)
	r.Write("services/go.mod", strings.Replace(read(t, r.Dir, "services", "go.mod"), "module sample", "module sample // shop", 1)+"\ngodebug panicnil=1\n")
	two := r.Commit("Set a godebug", soon)
	must(t, os.Remove(file(r, "services/omega/main.go")))
	r.Write("services/omega/main.go", "// Package main does nothing at all.\npackage main\n\nfunc main() {}\n")

	got := in(r.Dir).slipway(t, "build:why", "omega").Exits(t, 0).Stdout
	want := "omega is affected since main (" + start[:8] + `):
  services/omega/main.go  file of the service                                         not committed
  services/omega/more.go  file of the service                                         commit ` + one[:8] + ` of 2024-07-25
  services/go.mod         Go version, and what is said of modules in this repository  commit ` + two[:8] + ` of 2024-07-25
      + godebug panicnil=1
its tag is 20240725_` + two[:8] + "-dirty: commit " + two[:8] + " of 2024-07-25 gives it, and what is not committed its end\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	var why struct {
		Affected bool
		Tag      string
		Commit   struct{ Hash string }
		Changes  []struct{ Path, Kind string }
	}
	must(t, json.Unmarshal([]byte(in(r.Dir).slipway(t, "build:why", "omega", "-json=true").Exits(t, 0).Stdout), &why))
	if !why.Affected || why.Commit.Hash != two || len(why.Changes) != 3 || why.Changes[2].Path != "services/go.mod" {
		t.Errorf("as JSON: %+v", why)
	}

	r.Git("checkout", "-q", "--", ".")
	r.Git("branch", "-q", "-f", "main")
	got = in(r.Dir).slipway(t, "build:why", "omega").Exits(t, 0).Stdout
	if want := "omega is not affected: it is built of nothing that has changed since main (" + two[:8] + ")\nits tag is 20240725_" + two[:8] + ": commit " + two[:8] + " of 2024-07-25 last changed its inputs\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// In a clone as CI makes it, of one commit, the remote is asked for the rest.
func TestAffectedInAShallowClone(t *testing.T) {
	r := withSecond(t)
	r.Switch("feature")
	r.Write("services/omega/more.go", "package main\n")
	r.Commit("Add more", gitrepo.Epoch)
	r.Write("README.md", "prose\n")
	r.Commit("Add prose", gitrepo.Epoch)
	c := r.ShallowClone(t, 1)
	for service, want := range map[string]string{"omega": "omega is affected since main (", "alpha": "alpha is not affected"} {
		if got := in(c.Dir).slipway(t, "build:why", service, "-base=main").Exits(t, 0); !strings.HasPrefix(got.Stdout, want) {
			t.Errorf("%s: %s%s\nwant %s", service, got.Stdout, got.Stderr, want)
		}
	}
	alone := r.ShallowClone(t, 1)
	alone.Git("remote", "set-url", "origin", "file:///nowhere")
	got := in(alone.Dir, "SLIPWAY_ENGINE=nonsense").slipway(t, "build:affected", "-base=main").Exits(t, 2)
	if want := `slipway: warning: all services are taken for changed: there is no branch or commit "main" to compare with`; !strings.Contains(got.Stderr, want) {
		t.Errorf("got %s\nwant %s", got.Stderr, want)
	}
}
