package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"slipway/deploy/addresses"
	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/manifest"
	"slipway/deploy/release"
	"slipway/deploy/reviewapp"
	"slipway/pipeline"
)

// reviewTTL is how long a review app stays after a deploy, unless -ttl says otherwise.
const reviewTTL = 24 * time.Hour

// openPlaceOf opens the environment of a command line: with -from=ENV a review app.
func openPlaceOf(ctx context.Context, in input) (*place, error) {
	from := in.flags["from"]
	if _, has := in.flags["from"]; has {
		if err := pipeline.ValidateEnvironment(from); err != nil {
			return nil, badInput{fmt.Errorf("-from=%s: %w", from, err)}
		}
	}
	ttl, err := in.duration("ttl", reviewTTL)
	switch _, has := in.flags["ttl"]; {
	case err != nil:
		return nil, err
	case has && from == "":
		return nil, badInput{fmt.Errorf("-ttl is for review apps: say with -from=ENV which environment's manifest it is made from")}
	case ttl == 0:
		return nil, badInput{fmt.Errorf("-ttl=%s: a review app would be gone at once", in.flags["ttl"])}
	}
	p, err := openPlaceFrom(ctx, in.args[0], from)
	if err != nil {
		return nil, err
	}
	p.ttl = ttl
	return p, nil
}

// mayReview refuses a review app that would be an environment with a manifest of its own.
func (p *project) mayReview(name, from string) error {
	root, err := os.OpenRoot(p.tree.Root)
	if err != nil {
		return fmt.Errorf("opening the repository: %w", err)
	}
	defer func() { _ = root.Close() }()
	if file, err := manifest.File(root.FS(), name); err == nil {
		return fmt.Errorf("%s has a manifest of its own, %s: -from is for review apps, which have none", name, file)
	}
	_, err = manifest.File(root.FS(), from)
	return err
}

// checkManifest is check for what a manifest wants: it may be a review app, or must not be one.
func (p *place) checkManifest(want *convert.Stack) func(context.Context, *live.State, *diff.Plan) ([]string, error) {
	check := p.check(want)
	return func(ctx context.Context, state *live.State, plan *diff.Plan) ([]string, error) {
		warnings, err := check(ctx, state, plan)
		if clash := reviewapp.Clash(state, want.Name, p.from); clash != nil {
			err = badInput{clash}
		}
		return warnings, err
	}
}

// stays is how long what is deployed now stays, nil for what is no review app.
func (p *place) stays(ctx context.Context) (*release.Review, error) {
	if p.from == "" {
		return nil, nil
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	if err := reviewapp.Clash(state, p.env.Stack, p.from); err != nil {
		return nil, badInput{err} // a deploy with nothing to write checks nothing more
	}
	now, err := reviewapp.Now(ctx, p.host.Docker)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	return &release.Review{From: p.from, Expires: now.Add(p.ttl)}, nil
}

// renew puts a review app's end off where a deploy had nothing to write.
func (p *place) renew(ctx context.Context, r apply.Request) error {
	task := p.show.Start("noting that " + p.env.Stack + " stays until " + r.Record.Review.Expires.UTC().Format(time.RFC3339))
	err := reviewapp.Renew(ctx, p.host.Docker, p.env.Stack, r.Record.Review.Expires, lock.Owner{Who: r.Record.Who, Reason: r.Reason}, r.Lock)
	task.Done(err)
	return err
}

// addresses are where the stack's services are reached from outside.
func (p *place) addresses(ctx context.Context) ([]addresses.Address, error) {
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	return addresses.Of(state, p.env.Stack), nil
}

// volumes removes a review app's volumes, when its services are gone.
func (p *place) volumes(state *live.State, stack string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		task := p.show.Start("removing the volumes of " + stack)
		removed, err := reviewapp.Volumes(ctx, state, stack, p.nodes.Docker)
		task.Done(err)
		return removed, err
	}
}
