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
	return build(ctx, in.args, pipeline.Check)
}

func buildAll(ctx context.Context, _ input) error {
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	if len(p.repo.Services) == 0 {
		return badInput{fmt.Errorf("there is nothing to build: no directory of %s/ has a main package or a Dockerfile that git knows", p.repo.Settings.ServicesDir)}
	}
	return p.build(ctx, p.repo.Names(), pipeline.Check)
}

func buildLint(ctx context.Context, in input) error {
	return build(ctx, in.args, pipeline.Parts{Lint: true})
}

func buildTest(ctx context.Context, in input) error {
	return build(ctx, in.args, pipeline.Parts{Test: true})
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
	return build(ctx, strings.Split(in.args[0], ","), parts)
}

func build(ctx context.Context, names []string, parts pipeline.Parts) error {
	p, err := openProject(ctx)
	if err != nil {
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
		if err := p.mayPush(ctx, plans, pusher); err != nil {
			return err
		}
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

	outcomes := make([]outcome, len(plans))
	secrets := hostSecrets()
	var eg errgroup.Group // no shared context: one service's failure does not stop the others
	for i, plan := range plans {
		eg.Go(func() error {
			res, err := eng.Run(ctx, engine.Job{Plan: plan, Root: p.tree.Root, Build: p.buildDir(), Secrets: secrets, CABundle: cabundle.PEM(), Push: pusher, Told: p.story.follow(plan), Shell: p.shell})
			outcomes[i] = outcome{plan: plan, result: res, err: err}
			return nil
		})
	}
	_ = eg.Wait()
	show.Close()
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

// mayPush refuses what must not be pushed, and proves that the registry accepts the rest,
// before anything is built.
func (p *project) mayPush(ctx context.Context, plans []*pipeline.Plan, c *registry.Client) error {
	if p.env.registry == "" && p.repo.Settings.Registry == "" {
		return badInput{fmt.Errorf("no registry to push to: set REGISTRY (registry.example.com/group), or registry: in %s", pipeline.SettingsFile)}
	}
	for _, plan := range plans {
		if plan.Dirty && !p.local {
			return badInput{fmt.Errorf("%s has uncommitted changes (%s), and a pushed tag must name a commit: commit them, or build without pushing", plan.Service, strings.Join(p.tree.Dirty(&plan.Inputs), ", "))}
		}
		if err := c.CanPush(ctx, plan.Ref()); err != nil {
			return notBegun{interrupted(ctx, err)}
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
