package worktree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Fetch gives a commit's full name, after asking the remote for it where it is not here. refs
// are where the remote may have it beside its branches.
func (w *Worktree) Fetch(ctx context.Context, commit string, refs ...string) (string, error) {
	full, err := w.resolve(ctx, commit)
	if err == nil {
		return full, nil
	}
	if w.Origin == "" {
		return "", fmt.Errorf("the commit %s is not in this clone, which has no remote to ask for it", commit)
	}
	ctx, cancel := context.WithTimeout(ctx, deepenTimeout)
	defer cancel()
	// A name first: servers give commits by it that no branch has any more. It must be whole.
	asks := [][]string{{commit}}
	for _, r := range refs {
		asks = append(asks, []string{r})
	}
	var said error
	for _, what := range append(asks, nil) {
		args := append([]string{"fetch", "--quiet", "--no-tags", "origin"}, what...)
		if _, err := git(ctx, w.Root, args...); err != nil {
			said = err
			continue
		}
		if full, err := w.resolve(ctx, commit); err == nil {
			return full, nil
		}
		said = nil
	}
	text := "the commit %s is not in this clone, and its remote does not give it: is this a clone of the repository that the run was of? What was pushed over may be gone"
	if said != nil {
		return "", fmt.Errorf(text+" (%w)", commit, said)
	}
	return "", fmt.Errorf(text, commit)
}

func (w *Worktree) resolve(ctx context.Context, commit string) (string, error) {
	out, err := git(ctx, w.Root, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+"^{commit}")
	return strings.TrimSpace(string(out)), err
}

// Checkout makes another working tree of this repository with a commit's files, in a directory
// that does not exist yet. No hook is run.
func (w *Worktree) Checkout(ctx context.Context, commit, dir string) error {
	noHooks := "core.hooksPath=" + os.DevNull
	if _, err := git(ctx, w.Root, "-c", noHooks, "worktree", "add", "--quiet", "--detach", dir, commit); err != nil {
		return fmt.Errorf("checking %s out in %s: %w", commit, dir, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitmodules")); err != nil {
		return nil
	}
	if _, err := git(ctx, dir, "-c", noHooks, "submodule", "--quiet", "update", "--init", "--recursive"); err != nil {
		return fmt.Errorf("checking the submodules of %s out in %s: %w", commit, dir, err)
	}
	return nil
}

// Forget removes a working tree that Checkout made.
func (w *Worktree) Forget(ctx context.Context, dir string) error {
	_, err := git(ctx, w.Root, "worktree", "remove", "--force", dir)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return fmt.Errorf("removing %s: %w", dir, err)
	}
	return nil
}
