package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// checkout makes a work tree of a commit in a directory of this name, which may name the
// project, and gives what removes it.
func (p *project) checkout(ctx context.Context, commit, name string, keep bool) (dir string, remove func(), err error) {
	above, err := os.MkdirTemp("", "slipway-repro-")
	if err != nil {
		return "", nil, fmt.Errorf("making a directory for the commit: %w", err)
	}
	dir = filepath.Join(above, name)
	remove = func() {
		if keep {
			fmt.Fprintf(os.Stderr, "slipway: kept: %s (git worktree remove --force %s)\n", dir, dir)
			return
		}
		// Also where the repetition was stopped.
		if err := p.tree.Forget(context.WithoutCancel(ctx), dir); err != nil {
			fmt.Fprintln(os.Stderr, "slipway: warning:", err)
		}
		if err := os.RemoveAll(above); err != nil {
			fmt.Fprintln(os.Stderr, "slipway: warning:", err)
		}
	}
	if err := p.tree.Checkout(ctx, commit, dir); err != nil {
		keep = false
		remove()
		return "", nil, err
	}
	fmt.Fprintf(os.Stderr, "slipway: %s is checked out in %s\n", commit, dir)
	return dir, remove, nil
}
