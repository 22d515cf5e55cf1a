package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"slipway/pipeline"
	"slipway/pipeline/worktree"
)

// buildAffected checks and packs the services that differ from where HEAD left a base.
func buildAffected(ctx context.Context, in input) error {
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	if err := p.reuses(in, reuseChecks); err != nil {
		return err
	}
	base := p.base(ctx, in)
	names, since, err := p.affectedSince(ctx, base)
	switch {
	case err != nil && since == nil:
		return err
	case err != nil:
		fmt.Fprintln(os.Stderr, allAffected(err))
		names = p.repo.Names()
	}
	if len(names) == 0 {
		fmt.Fprintf(os.Stderr, "slipway: nothing affected: no service is built of anything that has changed since %s\n", since.name())
		return nil
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "slipway: affected since %s: %s\n", since.name(), strings.Join(names, ", "))
	}
	return p.build(ctx, names, pipeline.Check)
}

// base is what -base names, or the branch that merges go to.
func (p *project) base(ctx context.Context, in input) string {
	return cmp.Or(in.flags["base"], p.tree.Default(ctx), "main")
}

// compared is a comparison as people are told of it.
type compared struct{ *worktree.Comparison }

func (c *compared) name() string {
	if c.Comparison == nil {
		return ""
	}
	if strings.HasPrefix(c.Fork, c.Base) {
		return c.Fork[:8]
	}
	return fmt.Sprintf("%s (%.8s)", c.Base, c.Fork)
}

// affectedSince are the services whose inputs differ from where HEAD left base, by name. An
// error with a comparison beside it says why that cannot be told: all may be affected then.
func (p *project) affectedSince(ctx context.Context, base string) ([]string, *compared, error) {
	inputs, err := p.inputs(p.repo.Names())
	if err != nil {
		return nil, nil, err
	}
	since, err := p.since(ctx, base)
	if err != nil {
		return nil, since, err
	}
	causes := p.tree.Causes(ctx, inputs, since.Comparison)
	names := []string{}
	for _, name := range p.repo.Names() {
		if len(causes[name]) > 0 {
			names = append(names, name)
		}
	}
	return names, since, nil
}

// since compares the tree with a base. An error without a comparison is the caller's mistake;
// one with an empty comparison says why this clone cannot tell.
func (p *project) since(ctx context.Context, base string) (*compared, error) {
	c, err := p.tree.Since(ctx, base)
	var unknown *worktree.UnknownBase
	switch {
	case err == nil:
		return &compared{c}, nil
	case ctx.Err() != nil:
		return nil, interrupted(ctx, err)
	case errors.As(err, &unknown) && !unknown.Shallow:
		return nil, badInput{fmt.Errorf("%w: write -base=BRANCH or -base=COMMIT", err)}
	}
	return &compared{}, err
}

// inputs are those of services, by name.
func (p *project) inputs(names []string) (map[string]*pipeline.Inputs, error) {
	drafts, err := p.drafts(names, pipeline.Check)
	if err != nil {
		return nil, err
	}
	out := map[string]*pipeline.Inputs{}
	for _, d := range drafts {
		out[d.Service()] = d.Inputs()
	}
	return out, nil
}

func allAffected(err error) string {
	return fmt.Sprintf("slipway: warning: all services are taken for changed: %v. Fetch all history in CI (GIT_DEPTH: 0, or fetch-depth: 0)", err)
}

// affected are the services that an event's base leaves to be checked; nil, for all, where that
// cannot be told, in a clone without that commit say.
func (p *project) affected(ctx context.Context, base string) ([]string, error) {
	names, since, err := p.affectedSince(ctx, base)
	var unknown *worktree.UnknownBase
	switch {
	case err == nil:
		return names, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case since == nil && !errors.As(err, &unknown):
		return nil, err // the services themselves cannot be planned
	case errors.As(err, &unknown):
		err = unknown
	}
	fmt.Fprintln(os.Stderr, allAffected(err))
	return nil, nil
}
