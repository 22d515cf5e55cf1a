package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/environment"
	"slipway/engine/packing"
	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/registry"
	"slipway/reuse"
	"slipway/tools"
)

// keep writes down what was built, checked and pushed, so that it need not be again. What keeps
// it from that is a warning: the work itself is done.
func (p *project) keep(ctx context.Context, outcomes []outcome, c *registry.Client, b *belief) {
	if !p.keeps || !b.signs() {
		return
	}
	var made []outcome
	var names []string
	for _, o := range outcomes {
		if !o.failed() && o.reused == nil && reusable(o.plan) && o.plan.Step(o.plan.Service+"/push") != nil {
			made, names = append(made, o), append(names, o.plan.Service)
		}
	}
	if len(made) == 0 {
		return
	}
	if b.unsafe != "" {
		warnReuse("%s", b.unsafe)
		return
	}
	still, err := p.stillSame(ctx, names)
	if err != nil {
		warnReuse("what was built is not kept for reuse: %v", err)
		return
	}
	var eg errgroup.Group
	for _, o := range made {
		eg.Go(func() error {
			err := errors.New("its files have changed while it was built")
			if still[o.plan.Service] == o.plan.Inputs.Hash {
				err = p.keepOne(ctx, o, c, b)
			}
			if err != nil {
				warnReuse("%s is not kept for reuse: %v", o.plan.Service, err)
			}
			return nil
		})
	}
	_ = eg.Wait()
}

// stillSame reads the services' inputs once more: an engine is handed files after they were
// hashed, and a person may have saved another one in between.
func (p *project) stillSame(ctx context.Context, names []string) (map[string]string, error) {
	now, err := openProject(ctx)
	if err != nil {
		return nil, err
	}
	inputs, err := now.inputs(names)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, in := range inputs {
		out[name] = in.Hash
	}
	return out, nil
}

func (p *project) keepOne(ctx context.Context, o outcome, c *registry.Client, b *belief) error {
	plan := o.plan
	tag, ok := plan.Inputs.ReuseTag(o.result.Bases)
	if !ok {
		return errors.New("the engine does not say which base images it was built on")
	}
	config, err := p.unstamped(ctx, o, c)
	if err != nil {
		return err
	}
	e := &reuse.Entry{
		Service: plan.Service, Image: plan.Image, Digest: o.result.Digest, Inputs: tag, Tag: plan.Tag, Commit: plan.Commit, Source: worktree.SourceURL(p.tree.Origin),
		Plan: plan.Version, Platform: plan.Platform, Go: plan.Go, Checks: reuse.Checks(plan), Bases: basesOf(plan, o.result.Bases), Config: config,
		Finished: time.Now(), Run: runAddress(),
	}
	if plan.Module != nil {
		e.Tools = toolVersions()
	}
	if b.signer != nil {
		envelope, err := e.Seal(ctx, b.signer)
		if err != nil {
			return err
		}
		return c.WriteEntry(ctx, plan.Image, tag, envelope)
	}
	key, err := b.here.Key(true)
	if err != nil {
		return err
	}
	envelope, err := e.Seal(ctx, key)
	if err != nil {
		return err
	}
	return b.here.Write(plan.Image, tag, envelope)
}

// unstamped is the config of the image that was pushed, before its stamp: from the layout that
// an engine exported, else, from a Docker store, as near to it as can be.
func (p *project) unstamped(ctx context.Context, o outcome, c *registry.Client) ([]byte, error) {
	var build *pipeline.Build
	for _, s := range o.plan.Steps {
		switch {
		case s.Export != nil && s.Export.Image:
			if config, err := packing.Unstamped(filepath.Join(p.buildDir(), filepath.FromSlash(s.Export.To)), o.result.Digest); err == nil {
				return config, nil
			}
		case s.Build != nil && !s.Build.Check:
			build = s.Build
		}
	}
	config, err := c.Config(ctx, o.plan.Image, o.result.Digest)
	if err != nil {
		return nil, err
	}
	return packing.Unstamp(config, build, o.plan.Created)
}

// toolVersions are the pinned tools' modules: "github.com/golangci/golangci-lint/v2@v2.5.0".
func toolVersions() (out []string) {
	set := tools.Set()
	for _, t := range []pipeline.Tool{set.Lint, set.Test} {
		f, err := modfile.ParseLax("go.mod", []byte(t.Mod), nil)
		if err != nil {
			continue // it is in the inputs' hash all the same
		}
		for _, r := range f.Require {
			if !r.Indirect {
				out = append(out, r.Mod.String())
			}
		}
	}
	return out
}

// runAddress is where CI shows the job, or at least its pipeline; "" elsewhere.
func runAddress() string {
	vars := environ()
	return cmp.Or(vars["CI_JOB_URL"], environment.Pipeline(vars))
}
