package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"slipway/engine"
	"slipway/engine/cabundle"
	"slipway/engine/choose"
	"slipway/pipeline"
	"slipway/registry"
)

func buildService(ctx context.Context, in input) error {
	return build(ctx, in, in.args, pipeline.Check, reuseChecks)
}

func buildAll(ctx context.Context, in input) error {
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	if err := p.reuses(in, reuseChecks); err != nil {
		return err
	}
	if len(p.repo.Services) == 0 {
		return badInput{fmt.Errorf("there is nothing to build: no directory of %s/ has a main package or a Dockerfile that git knows", p.repo.Settings.ServicesDir)}
	}
	return p.build(ctx, p.repo.Names(), pipeline.Check)
}

func buildLint(ctx context.Context, in input) error {
	return build(ctx, in, in.args, pipeline.Parts{Lint: true}, reuseNothing)
}

func buildTest(ctx context.Context, in input) error {
	return build(ctx, in, in.args, pipeline.Parts{Test: true}, reuseNothing)
}

func buildPlan(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	plans, err := p.plans(ctx, in.args, pipeline.Check)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(os.Stdout, plans[0])
	}
	_, err = fmt.Print(plans[0].Tree())
	return err
}

func imagePush(ctx context.Context, in input) error {
	parts := pipeline.Check
	parts.Push = true
	return build(ctx, in, strings.Split(in.args[0], ","), parts, reuseAll)
}

func build(ctx context.Context, in input, names []string, parts pipeline.Parts, mode reuseMode) error {
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	if err := p.reuses(in, mode); err != nil {
		return err
	}
	return p.build(ctx, names, parts)
}

// build plans the services, runs the plans side by side, and reports.
func (p *project) build(ctx context.Context, names []string, parts pipeline.Parts) error {
	began := time.Now()
	p.built = nil
	if err := choose.Valid(p.env.engine); err != nil {
		return badInput{err}
	}
	plans, err := p.plans(ctx, names, parts)
	if err != nil {
		return err
	}
	keys, err := p.keys(ctx, plans, parts.Push)
	if err != nil {
		return err
	}
	pusher := registry.NewClient(keys)
	if parts.Push {
		if err := p.mayTag(plans); err != nil {
			return err
		}
	}
	believes, err := p.believes(ctx, parts.Push)
	if err != nil {
		return err
	}
	taken, err := p.takenOrProven(ctx, plans, parts.Push, pusher, believes)
	if err != nil {
		return err
	}
	outcomes := make([]outcome, len(plans))
	left := 0
	for i, plan := range plans {
		outcomes[i] = outcome{plan: plan, reused: taken[i]}
		p.withoutReports(plan, taken[i])
		if !taken[i].done() {
			left++
			continue
		}
		outcomes[i].result = taken[i].result
	}
	if left == 0 {
		return p.finish(ctx, noEngine{}, outcomes, began)
	}
	show, err := p.display(ownWork)
	if err != nil {
		return err
	}
	defer show.Close()
	eng, err := choose.Open(ctx, choose.Options{
		Setting: p.env.engine, DockerHost: p.env.dockerHost, CacheDir: p.env.cacheDir, ServerSource: p.env.home + "/tools/buildkitd",
		Mirrors: p.env.mirrors, Display: show, Auth: keys.AuthConfig,
	})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { _ = eng.Close() }()
	if err := p.mayLook(eng); err != nil {
		return err
	}

	secrets := hostSecrets()
	var eg errgroup.Group // no shared context: one service's failure does not stop the others
	for i, plan := range plans {
		if outcomes[i].result != nil {
			continue
		}
		eg.Go(func() error {
			res, err := eng.Run(ctx, engine.Job{Plan: taken[i].rest(plan), Root: p.tree.Root, Build: p.buildDir(), Secrets: secrets, CABundle: cabundle.PEM(), Push: pusher, Told: p.story.follow(plan), Shell: p.shell})
			outcomes[i].result, outcomes[i].err = taken[i].whole(plan, res), err
			return nil
		})
	}
	_ = eg.Wait()
	show.Close()
	p.keep(ctx, outcomes, pusher, believes)
	return p.finish(ctx, eng, outcomes, began)
}

// finish writes down and tells how it went.
func (p *project) finish(ctx context.Context, eng engine.Engine, outcomes []outcome, began time.Time) error {
	p.built = outcomes
	if err := p.writeRun(ctx, eng, outcomes, began, time.Now()); err != nil {
		return err
	}
	return report(os.Stdout, os.Stderr, outcomes)
}

// outcome is how one plan went: a result, or what kept it from running.
type outcome struct {
	plan   *pipeline.Plan
	result *engine.Result
	reused *reused // what of it was not run; nil for nothing
	err    error
}

func (o outcome) failed() bool { return o.err != nil || len(o.result.Failed()) > 0 }

// keys prepares the credentials: those of the environment are for the registry that images
// go to.
func (p *project) keys(ctx context.Context, plans []*pipeline.Plan, push bool) (*registry.Keys, error) {
	given, err := p.env.login(ctx)
	if err != nil {
		return nil, badInput{err}
	}
	for _, plan := range plans {
		ref, err := name.ParseReference(plan.Ref())
		switch {
		case err != nil && push:
			return nil, badInput{fmt.Errorf("%s is no image reference: check REGISTRY, or registry: and image: in %s (registry.example.com/group, in lower case)", plan.Ref(), pipeline.SettingsFile)}
		case err != nil:
			given = nil
		case given != nil:
			given.Host = ref.Context().RegistryStr()
		}
	}
	keys, err := registry.LoadKeys("", given)
	if err != nil {
		return nil, badInput{err}
	}
	return keys, nil
}

// mayTag refuses what must not be pushed.
func (p *project) mayTag(plans []*pipeline.Plan) error {
	if p.env.registry == "" && p.repo.Settings.Registry == "" {
		return badInput{fmt.Errorf("no registry to push to: set REGISTRY (registry.example.com/group), or registry: in %s", pipeline.SettingsFile)}
	}
	for _, plan := range plans {
		if plan.Dirty && !p.local {
			return badInput{fmt.Errorf("%s has uncommitted changes (%s), and a pushed tag must name a commit: commit them, or build without pushing", plan.Service, strings.Join(p.tree.Dirty(&plan.Inputs), ", "))}
		}
	}
	return nil
}

// interrupted says only that a person stopped the work, where that is why it failed.
func interrupted(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return cause
	}
	return err
}

// notBegun is what kept a command from beginning with anything that could be told of.
type notBegun struct{ error }

func (e notBegun) Unwrap() error { return e.error }
