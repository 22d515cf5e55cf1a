// Package worktree reads a git working tree for package pipeline: its files, its state
// and its history. It runs git and changes nothing, except that a history too short to
// name tags by is deepened where the remote answers.
package worktree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/pipeline"
)

// Worktree is a repository's working tree.
type Worktree struct {
	Root    string // absolute
	Head    string // commit, 40 hex digits
	Branch  string // "" where HEAD is detached
	Origin  string // the remote's address as configured, "" without one; may hold credentials
	Shallow bool
	Tree    *pipeline.Tree
	// Changed are the paths that differ from HEAD, untracked ones included, ignored ones not.
	Changed []string

	was map[string]string // of Changed, what HEAD has: a blob, "" or pipeline.Unknown
}

// Open reads the working tree that dir is in.
func Open(ctx context.Context, dir string) (*Worktree, error) {
	out, err := git(ctx, dir, "rev-parse", "--show-toplevel", "--is-shallow-repository")
	if err != nil {
		return nil, openError(dir, err)
	}
	root, shallow, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	w := &Worktree{Root: filepath.FromSlash(root), Shallow: shallow == "true"}
	var tracked, status []byte
	eg, ectx := errgroup.WithContext(ctx)
	eg.Go(func() (err error) {
		tracked, err = git(ectx, w.Root, "ls-files", "-z", "--cached", "--recurse-submodules")
		return err
	})
	eg.Go(func() (err error) {
		// --no-optional-locks: a status beside a running git command must not take its lock.
		status, err = git(ectx, w.Root, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all")
		return err
	})
	eg.Go(func() error {
		// Fails where there is no such remote, which is nothing to report.
		origin, _ := git(ectx, w.Root, "config", "--get", "remote.origin.url")
		w.Origin = strings.TrimSpace(string(origin))
		return ectx.Err()
	})
	if err := eg.Wait(); err != nil {
		return nil, fmt.Errorf("reading the git repository %s: %w", w.Root, err)
	}
	files := splitNul(tracked)
	if err := w.readStatus(status, &files); err != nil {
		return nil, err
	}
	w.Tree = pipeline.NewTree(os.DirFS(w.Root), files)
	return w, nil
}

// readStatus takes the branch, HEAD and the changes from `git status --porcelain=v2`.
func (w *Worktree) readStatus(status []byte, files *[]string) error {
	gone := map[string]bool{}
	w.was = map[string]string{}
	for _, e := range splitNul(status) {
		fields := strings.SplitN(e, " ", 9)
		switch {
		case strings.HasPrefix(e, "# branch.oid "):
			w.Head = strings.TrimPrefix(e, "# branch.oid ")
		case strings.HasPrefix(e, "# branch.head "):
			if b := strings.TrimPrefix(e, "# branch.head "); b != "(detached)" {
				w.Branch = b
			}
		case strings.HasPrefix(e, "? "):
			w.Changed = append(w.Changed, e[2:])
			*files = append(*files, e[2:])
		case strings.HasPrefix(e, "1 ") && len(fields) == 9:
			w.Changed = append(w.Changed, fields[8])
			if w.was[fields[8]] = blobName(fields[6]); fields[3] == submodule {
				w.was[fields[8]] = pipeline.Unknown
			}
			if fields[1][1] == 'D' { // removed from the index alone, it is an untracked file now
				gone[fields[8]] = true
			}
		case strings.HasPrefix(e, "u "):
			fields = strings.SplitN(e, " ", 11)
			return fmt.Errorf("%s has unmerged files (%s): finish the merge first", w.Root, fields[len(fields)-1])
		}
	}
	if w.Head == "" || w.Head == "(initial)" {
		return fmt.Errorf("%s has no commit yet, and a tag names a commit: run `git commit` first", w.Root)
	}
	kept := (*files)[:0]
	for _, f := range *files {
		if info, err := os.Lstat(filepath.Join(w.Root, f)); !gone[f] && err == nil && !info.IsDir() {
			kept = append(kept, f)
		}
	}
	*files = kept
	return nil
}

// uncommitted are the changes since HEAD.
func (w *Worktree) uncommitted() []pipeline.Change {
	var out []pipeline.Change
	for _, p := range w.Changed {
		out = append(out, w.expand(p, w.was[p])...)
	}
	return out
}

// Dirty reports which inputs have uncommitted changes.
func (w *Worktree) Dirty(in *pipeline.Inputs) []string {
	if len(w.Changed) == 0 {
		return nil
	}
	b := w.blobs(context.Background())
	defer b.close()
	return paths(in.Changed(w.uncommitted(), b.read))
}

func paths(causes []pipeline.Cause) []string {
	var out []string
	for _, c := range causes {
		if !slices.Contains(out, c.Path) {
			out = append(out, c.Path)
		}
	}
	return out
}

func splitNul(b []byte) []string {
	b = bytes.TrimSuffix(b, []byte{0})
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

// gitError is what git said.
type gitError struct {
	args   []string
	stderr string
	err    error
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("git %s: %v", e.args[0], e.err)
	}
	return fmt.Sprintf("git %s: %s", e.args[0], e.stderr)
}

func (e *gitError) Unwrap() error { return e.err }

// git runs git in dir with messages in English and no questions asked.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := command(ctx, dir, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, &gitError{args, strings.TrimSpace(stderr.String()), err}
	}
	return out, nil
}

func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	cmd.WaitDelay = time.Second
	return cmd
}

func openError(dir string, err error) error {
	var ge *gitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("git is not installed, and slipway names images by commits: install git")
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no directory %s", dir)
	case errors.As(err, &ge) && strings.Contains(ge.stderr, "dubious ownership"):
		return fmt.Errorf("git refuses %s, which another user owns: run `git config --global --add safe.directory %s`", dir, dir)
	case errors.As(err, &ge) && strings.Contains(ge.stderr, "must be run in a work tree"):
		return fmt.Errorf("%s is a git repository without a working tree: run slipway in a clone with its files checked out", dir)
	case errors.As(err, &ge) && strings.Contains(ge.stderr, "not a git repository"):
		return fmt.Errorf("%s is not in a git repository, and slipway names images by commits: run `git init` and commit, or go to a clone", dir)
	}
	return fmt.Errorf("reading the git repository of %s: %w", dir, err)
}
