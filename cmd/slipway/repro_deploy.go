package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"slipway/deploy/apply"
	"slipway/deploy/release"
	"slipway/report/repro"
)

// repeatDeploy repeats what of a deploy changes nothing: the check of the manifest, the plan
// where a Swarm is named, the rule of who may deploy. The deploy itself needs -deploy=true.
func (p *project) repeatDeploy(ctx context.Context, part repeated, how repeating) repro.Deploy {
	if how.deploy {
		return p.deployAgain(ctx, part)
	}
	to := input{args: []string{part.env}}
	d := repro.Deploy{Env: part.env}
	place, err := openPlace(ctx, part.env)
	switch {
	case err != nil:
	case place.env.Reachable() == nil:
		fmt.Fprintf(os.Stderr, "slipway: of the deploy of %s only the check of the manifest and the plan are repeated: nothing is written (-deploy=true deploys)\n", part.env)
		err = deployPlan(ctx, to)
		d.Planned = err == nil
	default:
		fmt.Fprintf(os.Stderr, "slipway: of the deploy of %s only the check of the manifest is repeated: no server is named here\n", part.env)
		err = deployLint(ctx, to)
	}
	if err == nil {
		err = place.env.Settings.MayDeploy(place.env.Name, place.branch())
	}
	if err != nil {
		d.Error, d.Exit = err.Error(), exitCode(err)
		fmt.Fprintln(os.Stderr, "slipway:", err)
	}
	return d
}

// deployAgain deploys to the server that a person has named. No chat is told.
func (p *project) deployAgain(ctx context.Context, part repeated) repro.Deploy {
	err := p.bringBefore(ctx, part)
	var v *apply.Verdict
	if err == nil {
		v, err = deployQuietly(ctx, part.env)
	}
	d := deployed(part.env, 0, "", keptDeploy(v))
	if err != nil {
		d.Exit, d.Error = exitCode(err), err.Error()
	}
	d.Applied = true
	return d
}

func deployQuietly(ctx context.Context, env string) (*apply.Verdict, error) {
	place, err := openPlace(ctx, env)
	if err != nil {
		return nil, err
	}
	err = place.deployManifest(ctx, input{args: []string{env}})
	return place.did.verdict, err
}

// bringBefore makes a Swarm that has no release of the environment run what ran before the
// recorded deploy: only from there can a deploy be taken back.
func (p *project) bringBefore(ctx context.Context, part repeated) error {
	if part.before == "" {
		return nil
	}
	aside := newStory(nil).in(ctx)
	place, state, err := reach(aside, part.env)
	if err != nil {
		return err
	}
	place.close()
	entries, _ := release.Entries(state.Configs, place.env.Stack)
	if slices.ContainsFunc(entries, func(e release.Entry) bool { return e.State == release.Done }) {
		return nil
	}
	fmt.Fprintf(os.Stderr, "slipway: first what %s ran before: %s\n", part.env, part.before)
	commit, err := p.checkouts.tree.Fetch(ctx, part.before)
	if err != nil {
		return err
	}
	dir, remove, err := p.checkouts.checkout(ctx, commit, p.rootName(), false)
	if err != nil {
		return err
	}
	defer remove()
	if _, err := deployQuietly(workplace{dir: dir, branch: p.tree.Branch}.in(aside), part.env); err != nil {
		return fmt.Errorf("what %s ran before, %s, does not come up on this Swarm: %w", part.env, part.before, err)
	}
	return nil
}
