package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/collect"
	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/watch"
)

// run is a deploy that writes.
type run struct {
	Request
	held    *lock.Lock
	entry   *release.Entry
	plan    *diff.Plan
	before  *live.State // as it was before the first write
	tasks   map[string]map[string]bool
	first   bool // there was no service of the stack before
	ids     convert.IDs
	netIDs  map[string]string // of networks, by name
	written []*written
	verdict *Verdict
	ends    time.Time
}

// written is a service that this deploy has changed.
type written struct {
	convert.Service
	action diff.Action
	before *swarm.Service // nil for one that was not there
	goal   watch.Goal
}

// begin writes the release's record, which is the first write of all: a deploy that is killed
// leaves it behind as a trace.
func (r Request) begin(ctx context.Context, held *lock.Lock, state *live.State, plan *diff.Plan) (*run, error) {
	out := &run{Request: r, held: held, plan: plan, before: state, verdict: newVerdict(r, plan), ends: time.Now().Add(r.Timeout)}
	out.ids = convert.IDs{Configs: map[string]string{}, Secrets: map[string]string{}}
	out.netIDs = state.NetworkIDs()
	for _, c := range state.Configs {
		out.ids.Configs[c.Spec.Name] = c.ID
	}
	for _, s := range state.Secrets {
		out.ids.Secrets[s.Spec.Name] = s.ID
	}
	var err error
	if out.tasks, err = r.tasksNow(ctx, r.Want.Name, "label", convert.LabelNamespace+"="+r.Want.Name); err != nil {
		return nil, err
	}
	out.first = len(state.Of(r.Want.Name)) == 0
	if r.Prepare != nil {
		if err := r.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	record := r.Record
	record.Stack, record.Want, record.Changes = r.Want.Name, r.Want, changes(plan)
	entries, _ := release.Entries(state.Configs, r.Want.Name)
	for _, e := range entries {
		if e.State == release.Done {
			record.Previous, out.verdict.Before = e.Number, e.Commit
			break
		}
	}
	if record.Review == nil && len(entries) > 0 {
		record.Review = entries[0].Review // a rollback and a rotated secret leave a review app what it is
	}
	if out.entry, err = release.Begin(ctx, r.Docker, record); err != nil {
		return nil, err
	}
	out.verdict.Release = out.entry.Number
	return out, nil
}

// tasksNow are the ids of tasks by their service's, of those that a filter of Docker's lets through.
func (r Request) tasksNow(ctx context.Context, of, filter, value string) (map[string]map[string]bool, error) {
	tasks, err := r.Docker.TaskList(ctx, client.TaskListOptions{Filters: make(client.Filters).Add(filter, value)})
	if err != nil {
		return nil, fmt.Errorf("listing the tasks of %s: %w", of, err)
	}
	out := map[string]map[string]bool{}
	for _, t := range tasks.Items {
		if out[t.ServiceID] == nil {
			out[t.ServiceID] = map[string]bool{}
		}
		out[t.ServiceID][t.ID] = true
	}
	return out, nil
}

// through goes on from there to the verdict.
func (r *run) through(ctx context.Context) (*Verdict, error) {
	err := r.objects(ctx)
	if err == nil {
		err = r.services(ctx)
	}
	if err != nil {
		return r.failed(ctx, err)
	}
	if err := r.remove(ctx); err != nil {
		return r.unremoved(ctx, err)
	}
	state := r.collect(ctx)
	r.verdict.Result = Done
	swept := make(chan collect.Swept, 1) // what nodes no longer need is the same, noted or not
	go func() { swept <- r.sweep(ctx, state) }()
	if err = r.entry.Finish(ctx, r.Docker, release.Done, ""); err != nil {
		err = fmt.Errorf("all services run as wanted, but the record of release %d could not be completed: %w: deploy again", r.entry.Number, err)
	}
	s := <-swept
	r.verdict.Collected, r.verdict.Warnings, r.verdict.Note = append(r.verdict.Collected, s.Removed...), append(r.verdict.Warnings, s.Warnings...), s.Note
	return r.verdict.conclude(), err
}

// badError ends the waves: these services did not come up.
type badError struct{ outcomes []watch.Outcome }

func (e *badError) Error() string {
	bad := firstBad(e.outcomes)
	return fmt.Sprintf("%s: %s", bad.Key, why(*bad))
}

// services writes the services wave by wave and sees each wave through before the next one
// that has something to do.
func (r *run) services(ctx context.Context) error {
	actions := map[string]diff.Operation{}
	for _, op := range r.plan.Operations {
		if op.Kind == diff.ServiceKind {
			actions[op.Name] = op
		}
	}
	order := waves(r.Want.Services)
	last := -1 // the last wave with something to write
	for i, wave := range order {
		for _, s := range wave {
			if changing(actions[s.Spec.Name].Action) {
				last = i
			}
		}
	}
	var unwatched []watch.Goal
	var earlier []*written // in waves before the last one that was watched
	for i, wave := range order {
		var now []watch.Goal
		var eg errgroup.Group
		eg.SetLimit(8)
		results := make([]*written, len(wave))
		for k, s := range wave {
			op := actions[s.Spec.Name]
			if !changing(op.Action) {
				goal := r.unchanged(s)
				if s.Job() && i < last {
					now = append(now, goal) // a gate, whichever deploy started it
				} else {
					unwatched = append(unwatched, goal)
				}
				continue
			}
			eg.Go(func() (err error) {
				results[k], err = r.write(ctx, s, op)
				return err
			})
		}
		err := eg.Wait()
		before := len(r.written)
		for _, w := range results {
			if w != nil {
				r.written = append(r.written, w)
				now = append(now, w.goal)
			}
		}
		if err != nil {
			return err
		}
		if i >= last {
			now, unwatched = append(now, unwatched...), nil
		}
		if len(now) > 0 {
			earlier = r.written[:before]
		}
		if err := r.watch(ctx, now); err != nil {
			return err
		}
	}
	return r.watch(ctx, again(earlier))
}

func changing(a diff.Action) bool {
	return a == diff.Create || a == diff.Update || a == diff.Replace
}

func (r *run) unchanged(s convert.Service) watch.Goal {
	now := r.before.Service(s.Spec.Name)
	return watch.Goal{Key: s.Key, Name: s.Spec.Name, ID: now.ID, Spec: now.Spec, Version: now.Version.Index, Change: watch.Unchanged}
}

// again has what earlier waves wrote: it must still run when the last one is done.
func again(earlier []*written) []watch.Goal {
	var goals []watch.Goal
	for _, w := range earlier {
		g := w.goal
		g.Change = watch.Unchanged
		goals = append(goals, g)
	}
	return goals
}

func (r *run) watch(ctx context.Context, goals []watch.Goal) error {
	if len(goals) == 0 {
		return nil
	}
	outcomes, err := watch.Watch(ctx, r.Docker, goals, watch.Options{Timeout: time.Until(r.ends), Node: r.Node, Report: r.Report, Early: r.Failed, StopOnFailure: true})
	r.verdict.take(outcomes)
	if err != nil {
		return err
	}
	if firstBad(outcomes) != nil {
		return &badError{outcomes}
	}
	return nil
}
