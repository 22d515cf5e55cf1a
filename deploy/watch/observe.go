package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/remote"
	"slipway/progress"
)

// How often the Swarm is read at most and at least. Each reading costs the manager as much as
// a part of what it is watched for. Swarm has no events for tasks.
const (
	burst  = 20 * time.Millisecond  // what comes within it is one reason to look, not many
	pace   = 200 * time.Millisecond // between readings, as long as no update has ended
	silent = 500 * time.Millisecond // where nothing is heard
)

// Watch follows all goals at once. It survives a lost connection and a restarted manager up to
// the deadline. The error is about the watching (a stop, a connection that stayed away): what
// is wrong with services is in the outcomes.
func Watch(ctx context.Context, docker *client.Client, goals []Goal, o Options) ([]Outcome, error) {
	if o.Report == nil {
		o.Report = progress.Discard()
	}
	began := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watcher{docker: docker, goals: goals, o: o, began: began, ends: began.Add(o.Timeout), shown: map[string]*shown{}, evidence: newEvidence(docker, o.Node)}
	defer func() { w.close() }()
	var events *signs
	for {
		all, err := w.read(ctx)
		if err != nil {
			return w.outcomes, err
		}
		if settled(all, o.StopOnFailure) {
			return all, nil
		}
		if time.Now().After(w.ends) {
			return w.timedOut(ctx), nil
		}
		if events == nil { // only once there is something to wait for
			events = w.follow(ctx)
		}
		if err := w.pause(ctx, events); err != nil {
			return w.outcomes, err
		}
	}
}

type watcher struct {
	docker   *client.Client
	goals    []Goal
	o        Options
	began    time.Time
	ends     time.Time
	steady   map[string]time.Time // since when a task runs, on this process's clock
	old      map[string]bool
	nodes    []swarm.Node
	outcomes []Outcome
	shown    map[string]*shown
	evidence *evidence
	told     bool
}

// settled tells whether there is nothing more to wait for.
func settled(all []Outcome, stopOnFailure bool) bool {
	final, failed, rolling := true, false, false
	for _, o := range all {
		final = final && o.State.final()
		failed = failed || o.State.bad()
		rolling = rolling || o.State == RollingBack
	}
	return final || stopOnFailure && failed && !rolling
}

// pause waits until an update has ended, or until it is time to look what else has happened.
func (w *watcher) pause(ctx context.Context, events *signs) error {
	sleep := func(d time.Duration, early <-chan struct{}) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-early:
			return errEarly
		case <-timer.C:
			return nil
		}
	}
	err := sleep(burst, nil)
	if err == nil {
		err = sleep(pace-burst, events.ended)
	}
	if err == nil {
		err = sleep(silent-pace, events.any)
	}
	if errors.Is(err, errEarly) {
		return nil
	}
	return err
}

var errEarly = errors.New("there is something to look at")

// read looks once at all services and judges them.
func (w *watcher) read(ctx context.Context) ([]Outcome, error) {
	services, tasks, err := w.list(ctx)
	if err != nil {
		return nil, err
	}
	w.age(ctx, tasks)
	out := make([]Outcome, len(w.goals))
	bad := false
	for i, g := range w.goals {
		v := view{nodes: w.nodes, steady: map[string]time.Duration{}, old: w.old}
		for k := range services {
			if services[k].ID == g.ID {
				v.service = &services[k]
			}
		}
		for _, t := range tasks {
			if t.ServiceID == g.ID {
				v.tasks = append(v.tasks, t)
				if since, ok := w.steady[t.ID]; ok {
					v.steady[t.ID] = time.Since(since)
				}
				w.evidence.note(t)
			}
		}
		j := judge(g, v)
		if w.outcomes != nil && w.outcomes[i].State == Failed { // a task that runs for a moment does not unsay it
			j.state = Failed
		}
		out[i] = Outcome{Key: g.Key, Name: g.Name, State: j.state, Running: j.running, Wanted: j.wanted, Took: time.Since(w.began)}
		if j.state.bad() {
			bad = true
			out[i].Reason = w.evidence.reason(ctx, g, v, j.message)
		}
		w.show(g, v, out[i])
	}
	w.outcomes = out
	if bad && !w.told {
		w.told = true
		if w.o.Early != nil {
			w.o.Early(out)
		}
	}
	return out, nil
}

// age notes since when each task runs. For those that ran before the first look the manager's
// own clock tells: only differences on one clock count, never this machine's time of day.
func (w *watcher) age(ctx context.Context, tasks []swarm.Task) {
	first := w.steady == nil
	now := time.Now()
	running := map[string]time.Time{}
	var there time.Time
	for _, t := range tasks {
		if t.Status.State != swarm.TaskStateRunning {
			continue
		}
		running[t.ID] = now
		if since, ok := w.steady[t.ID]; ok {
			running[t.ID] = since
		} else if first {
			if there.IsZero() {
				there = w.clock(ctx)
			}
			if age := there.Sub(t.Status.Timestamp); !there.IsZero() && age > 0 {
				running[t.ID] = now.Add(-age)
			}
		}
	}
	w.steady = running
	if first {
		w.old = map[string]bool{}
		for _, t := range tasks {
			if ended(t) && w.before(t) {
				w.old[t.ID] = true
			}
		}
	}
}

// before tells whether a task is from before the write that its service is watched for.
func (w *watcher) before(t swarm.Task) bool {
	for _, g := range w.goals {
		if g.ID == t.ServiceID {
			return g.Change == Unchanged || g.Before[t.ID]
		}
	}
	return true
}

// clock is the manager's time, zero where it does not say.
func (w *watcher) clock(ctx context.Context) time.Time {
	now, err := live.Now(ctx, w.docker)
	if err != nil {
		return time.Time{}
	}
	return now
}

// list reads services, tasks and nodes, for as long as the connection is away.
func (w *watcher) list(ctx context.Context) (services []swarm.Service, tasks []swarm.Task, err error) {
	attempt := func() error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		s, err := w.docker.ServiceList(ctx, client.ServiceListOptions{Filters: w.filter()})
		if err != nil {
			return err
		}
		t, err := w.docker.TaskList(ctx, client.TaskListOptions{Filters: w.filter()})
		if err != nil {
			return err
		}
		if w.nodes == nil || len(w.nodes) > 1 {
			n, err := w.docker.NodeList(ctx, client.NodeListOptions{})
			if err != nil {
				return err
			}
			w.nodes, w.evidence.nodes = n.Items, n.Items
		}
		services, tasks = s.Items, t.Items
		return nil
	}
	err = remote.RetryTold(ctx, w.ends, w.o.Report, attempt)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the Swarm could not be asked any more how the services are, so what runs now is not known (deploy:status tells, once it answers): %w", err)
	}
	return services, tasks, nil
}

// filter asks for the goals' stack alone. By the services' ids would be closer, but a daemon
// refuses to list the tasks of one that is gone.
func (w *watcher) filter() client.Filters {
	f := make(client.Filters)
	if len(w.goals) > 0 && w.goals[0].Spec.Labels[convert.LabelNamespace] != "" {
		f = f.Add("label", convert.LabelNamespace+"="+w.goals[0].Spec.Labels[convert.LabelNamespace])
	}
	return f
}

// timedOut turns what is still awaited into a verdict.
func (w *watcher) timedOut(ctx context.Context) []Outcome {
	for i := range w.outcomes {
		o := &w.outcomes[i]
		switch o.State {
		case Waiting:
			o.State = TimedOut
			o.Reason = w.evidence.pending(ctx, w.goals[i], fmt.Sprintf("%d of %d tasks run as they should after %s", o.Running, o.Wanted, time.Since(w.began).Round(time.Second)))
		case RollingBack:
			o.State = Failed
			o.Reason.Message += "; Swarm's rollback was not complete in time"
		}
	}
	if !w.told && w.o.Early != nil {
		w.o.Early(w.outcomes)
	}
	return w.outcomes
}
