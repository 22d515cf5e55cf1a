// Package apply brings a Swarm to what a manifest wants, sees it through, and takes back what
// went wrong: lock, record, write, watch, remove, collect, in that order.
package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/watch"
	"slipway/progress"
)

// Request is one deploy. What has a zero value there is optional.
type Request struct {
	Docker *client.Client
	// Want is the stack with digests, and with the values of secrets that may have to be made.
	Want *convert.Stack
	// Record says who deploys what, for the release's record; this package fills in the rest.
	Record release.Record
	// Seen is what a saved plan depended on (diff.Plan.Seen): nothing is written where the Swarm
	// has moved since.
	Seen map[string]string
	// Auth gives the X-Registry-Auth header for an image, which the Swarm keeps and pulls with.
	Auth func(image string) string
	// Check is called with what is about to be written, before the lock is taken and again with
	// the lock held; by Remove once, with the lock held and without a plan.
	Check func(context.Context, *live.State, *diff.Plan) (warnings []string, err error)
	// Prepare is called with the lock held, before the first write: files that the server needs.
	Prepare func(context.Context) error
	// Emptied is called by Remove once services and networks are gone. With an error the records
	// stay, for the next attempt to find.
	Emptied func(context.Context) (removed []string, err error)
	// Failed is called once, as soon as a service is known to have failed.
	Failed func([]watch.Outcome)

	Timeout      time.Duration // of all waiting together
	Lock         lock.Options
	Reason       string // what the lock is held for: "deploy"
	NoAtomic     bool   // keep what succeeded when a service fails
	AllowReplace bool
	Keep         int // releases whose records, configs, secrets and images stay
	// CollectAfter is how long ago stopped containers and unused images must have been used to be
	// removed from the nodes; negative for never.
	CollectAfter time.Duration
	// Node talks to a node's daemon, for what only that one has; nil where only the manager's own
	// is reached, and nodes are left as they are.
	Node   func(context.Context, swarm.Node) (*client.Client, error)
	Report progress.Reporter
}

// MovedError says that the Swarm is no longer as a plan saw it.
type MovedError struct{ What []string }

func (e *MovedError) Error() string {
	text := "the Swarm is no longer as the plan saw it"
	for _, w := range e.What {
		text += "\n  " + w
	}
	return text + "\nNothing more was written: make a new plan."
}

// Plan reads the Swarm and compares it with what is wanted.
func Plan(ctx context.Context, r Request) (*live.State, *diff.Plan, error) {
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		return nil, nil, err
	}
	entries, warnings := release.Entries(state.Configs, r.Want.Name)
	plan, err := diff.Compute(r.Want, state, diff.Options{Owned: release.Owned(entries), AllowReplace: r.AllowReplace})
	if err != nil {
		return nil, nil, err
	}
	plan.Warnings = append(plan.Warnings, warnings...)
	return state, plan, nil
}

// Deploy does it all. The verdict is there unless nothing was begun; an error beside it says
// what kept the deploy from coming to an end (an interruption, a lost connection).
func Deploy(ctx context.Context, r Request) (*Verdict, error) {
	if r.Report == nil {
		r.Report = progress.Discard()
	}
	state, plan, err := Plan(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := r.unmoved(state, plan); err != nil {
		return nil, err
	}
	if !r.toRecord(state) && !plan.Changes() {
		return r.verify(ctx, state, plan)
	}
	if _, err := r.check(ctx, state, plan); err != nil {
		return nil, err
	}
	held, err := lock.Acquire(ctx, r.Docker, r.Want.Name, lock.Owner{Who: r.Record.Who, Reason: r.Reason}, r.Lock)
	if err != nil {
		return nil, err
	}
	defer held.LetGo(ctx)
	// Another deploy may have ended while this one waited.
	if state, plan, err = Plan(ctx, r); err != nil {
		return nil, err
	}
	if err := r.unmoved(state, plan); err != nil {
		return nil, err
	}
	if !r.toRecord(state) && !plan.Changes() {
		return r.verify(ctx, state, plan)
	}
	warnings, err := r.check(ctx, state, plan)
	if err != nil {
		return nil, err
	}
	run, err := r.begin(ctx, held, state, plan)
	if err != nil {
		return nil, err
	}
	run.verdict.Warnings = append(run.verdict.Warnings, warnings...)
	return run.through(ctx)
}

func (r Request) check(ctx context.Context, state *live.State, plan *diff.Plan) ([]string, error) {
	if r.Check == nil {
		return nil, nil
	}
	return r.Check(ctx, state, plan)
}

func (r Request) unmoved(state *live.State, plan *diff.Plan) error {
	if r.Seen == nil {
		return nil
	}
	saved := *plan
	saved.Seen = r.Seen
	what := saved.Moved(state)
	for _, key := range slices.Sorted(maps.Keys(plan.Seen)) { // services and networks of the stack that are new
		if _, known := r.Seen[key]; !known && plan.Seen[key] != "" {
			what = append(what, key+" was not there, and is now")
		}
	}
	if len(what) > 0 {
		return &MovedError{what}
	}
	return nil
}

// toRecord tells whether the last release that went well is another one, or a deploy was
// broken off since: then there is a record to write even where no service differs.
func (r Request) toRecord(state *live.State) bool {
	entries, _ := release.Entries(state.Configs, r.Want.Name)
	for _, e := range entries {
		switch e.State {
		case release.Applying:
			return true
		case release.Done:
			return !sameStack(e.Want, r.Want)
		}
	}
	return true
}

// verify sees whether what should run does, where nothing is to be written.
func (r Request) verify(ctx context.Context, state *live.State, plan *diff.Plan) (*Verdict, error) {
	v := newVerdict(r, plan)
	v.Result = Unchanged
	entries, _ := release.Entries(state.Configs, r.Want.Name)
	if live := running(entries); live != nil {
		v.Release = live.Number
	}
	var goals []watch.Goal
	for _, s := range r.Want.Services {
		if now := state.Service(s.Spec.Name); now != nil {
			goals = append(goals, watch.Goal{Key: s.Key, Name: now.Spec.Name, ID: now.ID, Spec: now.Spec, Version: now.Version.Index, Change: watch.Unchanged})
		}
	}
	outcomes, err := watch.Watch(ctx, r.Docker, goals, watch.Options{Timeout: r.Timeout, Node: r.Node, Report: r.Report, Early: r.Failed, StopOnFailure: true})
	v.take(outcomes)
	if err != nil {
		return v.conclude(), err
	}
	if bad := firstBad(outcomes); bad != nil {
		v.Result, v.Cause = Failed, fmt.Sprintf("nothing was to be changed, but %s does not run as it should: %s", bad.Key, why(*bad))
		if bad.State == watch.TimedOut {
			v.Result = TimedOut
		}
	}
	return v.conclude(), nil
}

// afterwards is a context for what has to be done even when the work was stopped.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}

// stopped tells whether a person or the system ended the work.
func stopped(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
