package worktree

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"slipway/pipeline"
)

// Comparison is what differs between the working tree and where HEAD left a base.
type Comparison struct {
	// Base is what was asked for, Fork the commit where HEAD left it.
	Base, Fork string
	Changes    []pipeline.Change
}

// Since compares the working tree, uncommitted changes included, with where HEAD left the
// history of base: a commit, or a branch, of which the remote's is taken where there is none
// here.
func (w *Worktree) Since(ctx context.Context, base string) (*Comparison, error) {
	fork, err := w.fork(ctx, base)
	if err != nil {
		return nil, err
	}
	// Against the working tree, so that what was changed and taken back is no change.
	out, err := git(ctx, w.Root, "diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-color", "--no-relative", "--ignore-submodules=none", fork, "--")
	if err != nil {
		return nil, fmt.Errorf("looking for what has changed since %s: %w", base, err)
	}
	c := &Comparison{Base: base, Fork: fork}
	seen := map[string]bool{}
	records := splitNul(out)
	for i := 0; i+1 < len(records); i += 2 {
		seen[records[i+1]] = true
		c.Changes = append(c.Changes, w.changes(records[i], records[i+1])...)
	}
	for _, p := range w.Changed {
		if !seen[p] && w.was[p] == "" && w.Tree.Has(p) { // not tracked: git does not compare it
			c.Changes = append(c.Changes, pipeline.Change{Path: p})
		}
	}
	return c, nil
}

// Causes are the changes of a service's inputs, by its name; services without any are left out.
func (w *Worktree) Causes(ctx context.Context, inputs map[string]*pipeline.Inputs, c *Comparison) map[string][]pipeline.Cause {
	b := w.blobs(ctx)
	defer b.close()
	return pipeline.Affected(inputs, c.Changes, b.read)
}

// UnknownBase says that there is no branch and no commit of that name.
type UnknownBase struct {
	Name string
	// Shallow says that the clone is, so that there may be one elsewhere.
	Shallow bool

	why error
}

func (e *UnknownBase) Error() string {
	text := fmt.Sprintf("there is no branch or commit %q to compare with", e.Name)
	if e.why != nil {
		text += fmt.Sprintf(", and the remote does not give one (%v)", e.why)
	}
	return text
}

func (e *UnknownBase) Unwrap() error { return e.why }

// fork finds where HEAD left the history of base. A history that is too short to tell is
// deepened where the remote answers.
func (w *Worktree) fork(ctx context.Context, base string) (string, error) {
	commit, err := w.base(ctx, base)
	if err != nil {
		return "", err
	}
	for _, what := range [][]string{nil, {w.Head, commit}} {
		var out []byte
		if out, err = git(ctx, w.Root, "merge-base", commit, w.Head); err == nil {
			return strings.TrimSpace(string(out)), nil
		}
		if !w.Shallow || w.deepen(ctx, what...) != nil {
			continue
		}
	}
	if out, again := git(ctx, w.Root, "merge-base", commit, w.Head); again == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if w.Shallow {
		return "", fmt.Errorf("this clone's history is too short to know where HEAD left %s", base)
	}
	return "", fmt.Errorf("HEAD and %s have no commit in common", base)
}

// base finds the commit that a base names: here, of the remote as it was last seen, or by
// asking the remote.
func (w *Worktree) base(ctx context.Context, name string) (string, error) {
	if strings.HasPrefix(name, "-") || name == "" {
		return "", &UnknownBase{Name: name}
	}
	local := []string{name, "refs/remotes/origin/" + name}
	for _, ref := range local {
		if commit, err := w.resolve(ctx, ref); err == nil {
			return commit, nil
		}
	}
	if w.Origin == "" {
		return "", &UnknownBase{Name: name, Shallow: w.Shallow}
	}
	ctx, cancel := context.WithTimeout(ctx, deepenTimeout)
	defer cancel()
	var said error
	for _, what := range []string{"+refs/heads/" + name + ":refs/remotes/origin/" + name, name} {
		if _, err := git(ctx, w.Root, "fetch", "--quiet", "--no-tags", "origin", what); err != nil {
			said = errors.Join(said, err)
			continue
		}
		for _, ref := range local {
			if commit, err := w.resolve(ctx, ref); err == nil {
				return commit, nil
			}
		}
	}
	return "", &UnknownBase{Name: name, Shallow: w.Shallow, why: said}
}

// Default is the branch that the remote calls its main one, "" where that is not known here.
func (w *Worktree) Default(ctx context.Context) string {
	out, err := git(ctx, w.Root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "origin/")
}
