package worktree

import (
	"context"
	"fmt"
	"strings"
)

// Since are the paths that differ between HEAD and where it left the history of base, a commit
// or a branch, and those with uncommitted changes.
func (w *Worktree) Since(ctx context.Context, base string) ([]string, error) {
	fork, err := git(ctx, w.Root, "merge-base", "--end-of-options", base, w.Head)
	if err != nil {
		return nil, fmt.Errorf("looking for where HEAD left %s: %w", base, err)
	}
	out, err := git(ctx, w.Root, "diff", "--name-only", "--no-renames", "-z", "--ignore-submodules=none", strings.TrimSpace(string(fork)), w.Head, "--")
	if err != nil {
		return nil, fmt.Errorf("looking for what has changed since %s: %w", base, err)
	}
	var paths []string
	for _, p := range append(splitNul(out), w.Changed...) {
		paths = append(paths, w.paths(p)...)
	}
	return paths, nil
}

// Default is the branch that the remote calls its main one, "" where that is not known here.
func (w *Worktree) Default(ctx context.Context) string {
	out, err := git(ctx, w.Root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "origin/")
}
