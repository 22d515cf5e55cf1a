package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moby/moby/api/types/mount"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/watch"
)

// back takes what this deploy changed back to what was live before, and sets the result. Three
// things are not touched: data (a service with volumes), what a job gate that has run may have
// changed under the services around it (a migration), and a service that Swarm was told to
// pause at.
func (r *run) back(ctx context.Context, outcomes []watch.Outcome) {
	v := r.verdict
	states := map[string]watch.State{}
	for _, o := range outcomes {
		states[o.Name] = o.State
	}
	timedOut := slices.ContainsFunc(outcomes, func(o watch.Outcome) bool { return o.State == watch.TimedOut })
	switch {
	case len(r.written) == 0:
		v.Result, v.Next = Failed, "mend the cause and deploy again; no service was changed"
	case r.first:
		v.Result, v.Next = Failed, "this was the stack's first deploy, so there is nothing to go back to: mend the cause and deploy again, or take it away with deploy:remove"
	case r.NoAtomic:
		v.Result, v.Next = Failed, "the services that came up are kept, as -noAtomic asks: mend the cause and deploy again, or go back with deploy:rollback"
		if firstBad(outcomes) != nil && firstBad(outcomes).State == watch.RolledBack {
			v.Result = RolledBack
		}
	default:
		r.restore(ctx, states)
		v.Result, v.Next = RolledBack, "mend the cause and deploy again"
		if len(v.Left) > 0 {
			v.Result, v.Next = Failed, "see what was left as it is, then deploy again, or go back with deploy:rollback"
		}
	}
	if timedOut {
		v.Result = TimedOut
	}
}

// restore sends the old specs, newest change first, and waits until they run again.
func (r *run) restore(ctx context.Context, states map[string]watch.State) {
	r.ends = time.Now().Add(r.Timeout) // the way back has a time of its own
	kept := r.kept(states)
	var goals []watch.Goal
	for _, w := range slices.Backward(r.written) {
		if why, is := kept[w.Key]; is {
			if why != "" {
				r.left(w, why)
			}
			continue
		}
		goal, err := r.undo(ctx, w)
		if err != nil {
			r.left(w, err.Error())
			continue
		}
		r.verdict.service(w.Spec.Name).Back = true
		if goal != nil {
			goals = append(goals, *goal)
		}
	}
	if len(goals) == 0 {
		return
	}
	outcomes, err := watch.Watch(ctx, r.Docker, goals, watch.Options{Timeout: time.Until(r.ends), Node: r.Node, Report: r.Report})
	for _, o := range outcomes {
		if o.State != watch.Done {
			r.verdict.Left = append(r.verdict.Left, fmt.Sprintf("service %s: sent back to what it was, but it does not run: %s", o.Key, why(o)))
		}
	}
	if err != nil {
		r.verdict.Left = append(r.verdict.Left, fmt.Sprintf("whether the services run again is not known: %v", err))
	}
}

func (r *run) left(w *written, why string) {
	r.verdict.Left = append(r.verdict.Left, fmt.Sprintf("service %s: left as it is: %s", w.Key, why))
}

// kept says of which written services this keeps its hands, and why; an empty reason for one
// that is as it was already.
func (r *run) kept(states map[string]watch.State) map[string]string {
	gates := map[string]bool{}
	for _, w := range r.written {
		if w.Job() {
			gates[w.Key] = true
		}
	}
	around := related(r.Want.Services, gates)
	out := map[string]string{}
	for _, w := range r.written {
		switch {
		case states[w.Spec.Name] == watch.RolledBack:
			out[w.Key] = ""
		case states[w.Spec.Name] == watch.Paused:
			out[w.Key] = "Swarm paused its update, as its update_config.failure_action says"
		case states[w.Spec.Name] == watch.ChangedByAnother, states[w.Spec.Name] == watch.Gone:
			out[w.Key] = "somebody else changed it meanwhile"
		case w.Job():
			out[w.Key] = "it is a job, and what it has done stays done"
		case around[w.Key]:
			out[w.Key] = "a job that it depends on, or that depends on it, has run (a migration, perhaps), and its old version may not fit what that left"
		case holdsData(w.Service) || w.before != nil && holdsData(convert.Service{Spec: w.before.Spec}):
			out[w.Key] = "it has volumes, and its old version may not read what the new one has written there"
		}
	}
	return out
}

func holdsData(s convert.Service) bool {
	c := s.Spec.TaskTemplate.ContainerSpec
	return c != nil && slices.ContainsFunc(c.Mounts, func(m mount.Mount) bool {
		return (m.Type == mount.TypeVolume || m.Type == mount.TypeBind || m.Type == mount.TypeCluster) && !m.ReadOnly
	})
}

// undo takes back one service. There is nothing to wait for where it was removed.
func (r *run) undo(ctx context.Context, w *written) (*watch.Goal, error) {
	if err := r.held.Check(ctx); err != nil {
		return nil, err
	}
	task := r.Report.Start("taking back " + w.Key)
	goal, err := r.undone(ctx, w)
	task.Done(err)
	return goal, err
}

func (r *run) undone(ctx context.Context, w *written) (*watch.Goal, error) {
	if w.action == diff.Create {
		return nil, r.removeService(ctx, w.goal.ID, w.Spec.Name)
	}
	now, err := r.inspect(ctx, w.goal.ID)
	if err != nil {
		return nil, err
	}
	goal := &watch.Goal{Key: w.Key, Name: w.Spec.Name, Change: watch.Updated}
	switch {
	case r.sameSpec(now.Spec, w.before.Spec) && w.action == diff.Update: // Swarm has taken it back itself
	case !r.sameSpec(now.Spec, w.goal.Spec):
		return nil, fmt.Errorf("somebody else changed it meanwhile")
	case w.action == diff.Replace:
		if err := r.removeService(ctx, w.goal.ID, w.Spec.Name); err != nil {
			return nil, err
		}
		goal.Change = watch.Created
		now, err = r.createService(ctx, w.before.Spec)
	default:
		now, err = r.update(ctx, *now, w.before.Spec)
	}
	if err != nil {
		return nil, err
	}
	goal.ID, goal.Spec, goal.Version = now.ID, now.Spec, now.Version.Index
	return goal, nil
}
