package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"slipway/test/gitrepo"
)

// history makes a file, changes it on a branch and merges that.
func history(t *testing.T) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	r.Write("services/ping/main.go", "package main\n")
	r.Commit("Add ping", gitrepo.Epoch)
	r.Switch("feature")
	r.Write("services/ping/run.sh", "#!/bin/sh\n")
	r.Commit("Add a script", gitrepo.Epoch.Add(time.Hour))
	r.Switch("main")
	r.Merge("feature", "Merge feature", gitrepo.Epoch.Add(2*time.Hour))
	return r
}

func TestHashesAreTheSameOnEveryMachine(t *testing.T) {
	hostile := filepath.Join(t.TempDir(), "config")
	content := "[user]\n\tname = Somebody Else\n[commit]\n\tgpgSign = true\n[init]\n\tdefaultBranch = trunk\n[core]\n\tautocrlf = true\n"
	if err := os.WriteFile(hostile, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", hostile)
	t.Setenv("GIT_DIR", "/nonexistent")
	t.Setenv("TZ", "Asia/Tokyo")
	const want = "19a4bdb03d8cf03766694552f61615faef6e9fab"
	if got := history(t).Head(); got != want {
		t.Errorf("HEAD is %s, want %s", got, want)
	}
}

func TestAMergeHasTwoParents(t *testing.T) {
	if got := history(t).Git("rev-list", "--count", "--min-parents=2", "HEAD"); got != "1" {
		t.Errorf("there are %s merge commits, want 1", got)
	}
}

func TestAShallowCloneKnowsOnlyTheLastCommitUntilItIsDeepened(t *testing.T) {
	r := history(t)
	c := r.ShallowClone(t, 1)
	if c.Head() != r.Head() || c.Git("rev-list", "--count", "HEAD") != "1" {
		t.Errorf("the clone is at %s with %s commits", c.Head(), c.Git("rev-list", "--count", "HEAD"))
	}
	c.Git("fetch", "-q", "--unshallow")
	if got := c.Git("rev-list", "--count", "HEAD"); got != "3" {
		t.Errorf("deepened, the clone has %s commits, want 3", got)
	}
}

func TestACloneIsIndependent(t *testing.T) {
	r := history(t)
	c := r.Clone(t)
	c.Remove("services/ping/run.sh")
	c.Commit("Remove the script", gitrepo.Epoch.Add(3*time.Hour))
	if _, err := os.Stat(filepath.Join(r.Dir, "services/ping/run.sh")); err != nil {
		t.Errorf("the original lost a file: %v", err)
	}
	if c.Git("rev-parse", "HEAD^") != r.Head() {
		t.Error("the clone's commit does not follow the original's head")
	}
}
