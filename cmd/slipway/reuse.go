package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"slipway/engine"
	"slipway/pipeline"
	"slipway/registry"
	"slipway/reuse"
)

// reuseMode says how much a command takes from what was built and checked before.
type reuseMode int

const (
	reuseNothing reuseMode = iota
	reuseChecks            // outputs below build/ are wanted: lint and test are left out
	reuseAll               // nothing is run
)

// reusePatience bounds the wait for whoever could save the work: the work itself can begin.
const reusePatience = 15 * time.Second

// reuses reads -noReuse: without it the command takes what counts. Either way what it pushes is
// kept for others to take.
func (p *project) reuses(in input, mode reuseMode) error {
	all, err := in.flag("noReuse")
	if err != nil {
		return err
	}
	p.keeps = true
	if !all {
		p.reuse = mode
	}
	return nil
}

// reused is what counts of a service's earlier work.
type reused struct {
	entry *reuse.Entry
	tag   string          // of the inputs
	by    reuse.PublicKey // who signed it
	here  bool            // it was built on this machine
	// result is the whole plan's, nil where an engine is still to run a part of it; config and
	// manifest are then the image's.
	result           *engine.Result
	config, manifest []byte
}

// who tells people where a pass comes from.
func (r *reused) who() string {
	if r.here {
		return "on this machine"
	}
	return "by the holder of the key " + r.by.Short()
}

// takenOrProven finds what counts of earlier work, and proves that the registry accepts the
// rest, before anything is written or built.
func (p *project) takenOrProven(ctx context.Context, plans []*pipeline.Plan, push bool, c *registry.Client, b *belief) ([]*reused, error) {
	taken := p.taken(ctx, plans, c, b)
	if !push {
		return taken, nil
	}
	proven := make([]bool, len(plans))
	prove := func() error {
		for i, plan := range plans {
			if taken[i].done() || proven[i] {
				continue
			}
			if err := c.CanPush(ctx, plan.Ref()); err != nil {
				return notBegun{interrupted(ctx, err)}
			}
			proven[i] = true
		}
		return nil
	}
	if err := prove(); err != nil {
		return nil, err
	}
	p.tagAgain(ctx, plans, taken, c)
	return taken, prove()
}

// taken finds, for each plan, what counts of earlier work; nil where nothing does. What is
// wrong with that is a warning: everything can be built.
func (p *project) taken(ctx context.Context, plans []*pipeline.Plan, c *registry.Client, b *belief) []*reused {
	out := make([]*reused, len(plans))
	if p.reuse == reuseNothing || b.nobody() || p.env.registry == "" && p.repo.Settings.Registry == "" {
		return out
	}
	ctx, cancel := context.WithTimeoutCause(ctx, reusePatience, errors.New("no answer in "+reusePatience.String()))
	defer cancel()
	var asked []*pipeline.Plan
	var bases []string
	for _, plan := range plans {
		if reusable(plan) {
			asked, bases = append(asked, plan), append(bases, plan.Inputs.Bases...)
		}
	}
	if len(asked) == 0 {
		return out
	}
	task := p.story.scope(ownWork).Start("asking what is built already")
	defer task.Done(nil)
	digests, err := c.Digests(ctx, bases, p.env.mirrors)
	if err != nil {
		warnReuse("nothing is reused, since it is not known which base images there are now: %v", err)
		return out
	}
	var wg sync.WaitGroup
	for i, plan := range plans {
		if reusable(plan) {
			wg.Go(func() { out[i] = p.take(ctx, plan, digests, c, b) })
		}
	}
	wg.Wait()
	return out
}

// reusable are plans that make an image of what is committed.
func reusable(plan *pipeline.Plan) bool {
	return !plan.Dirty && plan.Step(plan.Service+"/image") != nil
}

// take finds what counts of one plan.
func (p *project) take(ctx context.Context, plan *pipeline.Plan, digests map[string]string, c *registry.Client, b *belief) *reused {
	tag, ok := plan.Inputs.ReuseTag(digests)
	if !ok {
		return nil
	}
	r := p.believed(ctx, plan, tag, digests, c, b)
	switch {
	case r == nil:
		return nil
	case p.reuse == reuseChecks:
		if len(checksOnly(plan)) == 0 {
			return nil
		}
		say(plan, "lint and test passed at commit %.8s, %s", r.entry.Commit, r.who())
		return r
	}
	return p.pack(ctx, plan, r, c, b)
}

// believed is the first entry that counts: of this machine, else of the registry.
func (p *project) believed(ctx context.Context, plan *pipeline.Plan, tag string, digests map[string]string, c *registry.Client, b *belief) *reused {
	want := reuse.Want{Service: plan.Service, Image: plan.Image, Inputs: tag, Plan: plan.Version, Platform: plan.Platform, Checks: reuse.Checks(plan), Bases: basesOf(plan, digests)}
	open := func(envelope []byte, trusted []reuse.PublicKey) (*reused, error) {
		e, by, err := reuse.Open(ctx, envelope, trusted)
		if err != nil {
			return nil, err
		}
		return &reused{entry: e, tag: tag, by: by}, e.Fits(want)
	}
	if b.here != nil && b.machine != nil {
		envelope, err := b.here.Read(plan.Image, tag)
		if envelope != nil {
			r, err := open(envelope, []reuse.PublicKey{b.machine.Public})
			if err == nil {
				r.here = true
				return r
			}
			b.here.Drop(plan.Image, tag)
			ignored(plan, "the record of what was built here", err)
		} else if err != nil {
			ignored(plan, "the record of what was built here", err)
		}
	}
	if len(b.trusted) == 0 {
		return nil
	}
	envelope, err := c.Entry(ctx, plan.Image, tag)
	switch {
	case err != nil && errors.As(err, &registry.BadEntry{}):
		ignored(plan, plan.Image+":"+tag, err)
		return nil
	case err != nil:
		warnReuse("%s: whether it was built before is not known: %v", plan.Service, err)
		return nil
	case envelope == nil:
		return nil
	}
	r, err := open(envelope, b.trusted)
	if err != nil {
		ignored(plan, plan.Image+":"+tag, err)
		return nil
	}
	return r
}

// basesOf are the digests of a plan's own base images, without those that its files pin.
func basesOf(plan *pipeline.Plan, digests map[string]string) map[string]string {
	out := map[string]string{}
	for _, base := range plan.Inputs.Bases {
		if d := digests[base]; d != "" {
			out[base] = d
		}
	}
	return out
}

// noEngine is what runs where nothing is run.
type noEngine struct{}

var _ engine.Engine = noEngine{}

// Name implements engine.Engine.
func (noEngine) Name() string { return "no engine" }

// Run implements engine.Engine.
func (noEngine) Run(context.Context, engine.Job) (*engine.Result, error) {
	return nil, errors.New("there is no engine to run anything on")
}

// Close implements engine.Engine.
func (noEngine) Close() error { return nil }

func say(plan *pipeline.Plan, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "slipway: %s: %s\n", plan.Service, fmt.Sprintf(format, args...))
}

func warnReuse(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "slipway: warning: %s\n", fmt.Sprintf(format, args...))
}

// ignored says that something claimed to be a pass, and why it does not count.
func ignored(plan *pipeline.Plan, what string, err error) {
	warnReuse("%s: %s is ignored: %v. %s is built and checked anew", plan.Service, what, err, plan.Service)
}
