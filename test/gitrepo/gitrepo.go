// Package gitrepo makes git repositories for tests: the same calls give the same commit
// hashes on every machine, whatever the user's git configuration says.
package gitrepo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/test/aptget"
)

// Epoch is when the first commits of a test may happen; later ones add to it.
var Epoch = time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC)

// Repo is a repository with a work tree.
type Repo struct {
	// Dir is the root of the work tree.
	Dir string

	t testing.TB
}

// New makes an empty repository on branch main, installing git where it is missing.
func New(t testing.TB) *Repo {
	t.Helper()
	aptget.Need(t, "git", "git")
	r := &Repo{Dir: t.TempDir(), t: t}
	r.Git("init", "-q", "-b", "main")
	return r
}

// Write writes a file, path relative to the root, with the directories it needs. Content
// that begins with "#!" makes it executable.
func (r *Repo) Write(path, content string) {
	r.t.Helper()
	file := filepath.Join(r.Dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		r.t.Fatal(err)
	}
}

// Remove removes a file or directory from the work tree.
func (r *Repo) Remove(path string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.Dir, filepath.FromSlash(path))); err != nil {
		r.t.Fatal(err)
	}
}

// Commit commits all there is, with changes or without, and gives the full hash.
func (r *Repo) Commit(message string, when time.Time) string {
	r.t.Helper()
	r.Git("add", "-A")
	r.at(when, "commit", "-q", "--allow-empty", "-m", message)
	return r.Head()
}

// Merge merges branch into the current one with a merge commit, and gives its hash. A
// conflict fails the test.
func (r *Repo) Merge(branch, message string, when time.Time) string {
	r.t.Helper()
	r.at(when, "merge", "-q", "--no-ff", "-m", message, branch)
	return r.Head()
}

// Switch changes to a branch, making it here if there is none.
func (r *Repo) Switch(branch string) {
	r.t.Helper()
	if r.command(time.Time{}, "rev-parse", "-q", "--verify", "refs/heads/"+branch).Run() == nil {
		r.Git("switch", "-q", branch)
		return
	}
	r.Git("switch", "-q", "-c", branch)
}

// Head is the full hash of the commit checked out.
func (r *Repo) Head() string {
	r.t.Helper()
	return r.Git("rev-parse", "HEAD")
}

// Clone clones into a directory of its own, with all history; t may be a subtest's.
func (r *Repo) Clone(t testing.TB) *Repo {
	t.Helper()
	return r.clone(t)
}

// ShallowClone clones the last depth commits of the current branch, as CI systems do. The
// clone's origin answers when it is deepened.
func (r *Repo) ShallowClone(t testing.TB, depth int) *Repo {
	t.Helper()
	return r.clone(t, "--depth", strconv.Itoa(depth))
}

func (r *Repo) clone(t testing.TB, options ...string) *Repo {
	t.Helper()
	c := &Repo{Dir: t.TempDir(), t: t}
	// By URL: git ignores --depth for a plain path.
	c.Git(append(append([]string{"clone", "-q"}, options...), "file://"+filepath.ToSlash(r.Dir), ".")...)
	return c
}

// Git runs git in the work tree and gives its output without the line end. A failure
// fails the test.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	return r.at(Epoch, args...)
}

func (r *Repo) at(when time.Time, args ...string) string {
	r.t.Helper()
	cmd := r.command(when, args...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.String())
	}
	return strings.TrimRight(string(out), "\n")
}

// command is git with a fixed identity and clock and none of the machine's configuration.
func (r *Repo) command(when time.Time, args ...string) *exec.Cmd {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	for _, variable := range os.Environ() {
		// GIT_DIR and the like are set when the tests run in a hook.
		if !strings.HasPrefix(variable, "GIT_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	stamp := when.UTC().Format(time.RFC3339)
	cmd.Env = append(cmd.Env,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Test Author", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE="+stamp,
		"GIT_COMMITTER_NAME=Test Committer", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE="+stamp,
	)
	return cmd
}
