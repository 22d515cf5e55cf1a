package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"slipway/engine"
	"slipway/engine/packing"
	"slipway/pipeline"
	"slipway/registry"
)

// pack makes, of the image that is there, the plan's own. Nothing is written yet.
func (p *project) pack(ctx context.Context, plan *pipeline.Plan, r *reused, c *registry.Client, b *belief) *reused {
	manifest, err := c.Manifest(ctx, plan.Image, r.entry.Digest)
	switch {
	case err != nil:
		warnReuse("%s is built anew: %v", plan.Service, err)
		return nil
	case manifest == nil:
		if r.here {
			b.here.Drop(plan.Image, r.tag)
		}
		say(plan, "the image that was made of these inputs is not in the registry any more")
		return nil
	}
	if r.config, r.manifest, err = packing.Restamp(manifest, r.entry.Config, plan); err != nil {
		ignored(plan, plan.Image+":"+r.tag, err)
		return nil
	}
	r.result = &engine.Result{Service: plan.Service, Engine: noEngine{}.Name(), Digest: digest.FromBytes(r.manifest).String(), Bases: r.entry.Bases}
	for _, s := range plan.Steps {
		r.result.Steps = append(r.result.Steps, engine.StepResult{ID: s.ID, Name: s.Name, State: engine.Reused})
	}
	say(plan, "built and checked at commit %.8s, %s: nothing is run (-noReuse=true runs all)", r.entry.Commit, r.who())
	return r
}

// tagAgain pushes what was packed. What cannot be pushed this way is left to an engine.
func (p *project) tagAgain(ctx context.Context, plans []*pipeline.Plan, taken []*reused, c *registry.Client) {
	ctx, cancel := context.WithTimeoutCause(ctx, reusePatience, errors.New("no answer in "+reusePatience.String()))
	defer cancel()
	var wg sync.WaitGroup
	for i, plan := range plans {
		if !taken[i].done() {
			continue
		}
		wg.Go(func() {
			began := time.Now()
			if err := c.Retag(ctx, plan, taken[i].config, taken[i].manifest); err != nil {
				warnReuse("%s is built anew: %v", plan.Service, err)
				taken[i] = nil
				return
			}
			for n := range taken[i].result.Steps {
				if s := &taken[i].result.Steps[n]; plan.Steps[n].Push != nil {
					s.State, s.Took = engine.Done, time.Since(began)
				}
			}
		})
	}
	wg.Wait()
}
