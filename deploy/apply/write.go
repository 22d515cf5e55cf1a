package apply

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/remote"
	"slipway/deploy/watch"
)

// write creates, updates or replaces one service.
func (r *run) write(ctx context.Context, s convert.Service, op diff.Operation) (*written, error) {
	if err := s.Bind(r.ids); err != nil {
		return nil, err
	}
	if err := r.held.Check(ctx); err != nil {
		return nil, err
	}
	w := &written{Service: s, action: op.Action, before: r.before.Service(s.Spec.Name)}
	task := r.Report.Start(fmt.Sprintf("%s %s", map[diff.Action]string{diff.Create: "creating", diff.Update: "updating", diff.Replace: "replacing"}[op.Action], s.Key))
	now, err := r.writeService(ctx, w)
	task.Done(err)
	if now == nil && err != nil {
		return nil, fmt.Errorf("%s service %s: %w", map[diff.Action]string{diff.Create: "creating", diff.Update: "updating", diff.Replace: "replacing"}[op.Action], s.Key, err)
	}
	w.goal = watch.Goal{
		Key: s.Key, Name: s.Spec.Name, ID: now.ID, Spec: now.Spec, Version: now.Version.Index, Change: watch.Created,
		Before: r.tasks[now.ID],
	}
	if op.Action == diff.Update {
		w.goal.Change, w.goal.Anew = watch.Updated, op.Restarts && reflect.DeepEqual(now.Spec.TaskTemplate, w.before.Spec.TaskTemplate)
	}
	return w, err
}

func (r *run) writeService(ctx context.Context, w *written) (*swarm.Service, error) {
	switch w.action {
	case diff.Update:
		spec := w.Spec
		spec.TaskTemplate.ForceUpdate = w.before.Spec.TaskTemplate.ForceUpdate
		return r.update(ctx, *w.before, spec)
	case diff.Replace:
		if err := r.removeService(ctx, w.before.ID, w.before.Spec.Name); err != nil {
			return nil, err
		}
	}
	return r.createService(ctx, w.Spec)
}

// createService makes a service, or finds the one that an attempt left whose answer was lost.
// One of that name that is not as wanted is another's.
func (r *run) createService(ctx context.Context, spec swarm.ServiceSpec) (now *swarm.Service, err error) {
	err = remote.RetryTold(ctx, r.ends, r.Report, func() error {
		got, err := r.Docker.ServiceInspect(ctx, spec.Name, client.ServiceInspectOptions{})
		switch {
		case err == nil && !r.sameSpec(got.Service.Spec, spec):
			return &MovedError{[]string{fmt.Sprintf("service %s was not there, and was made by another meanwhile", spec.Name)}}
		case err == nil:
			now = &got.Service
			return nil
		case !errdefs.IsNotFound(err):
			return err
		}
		made, err := r.Docker.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: spec, EncodedRegistryAuth: r.auth(spec)})
		if err != nil {
			return err
		}
		now, err = r.wrote(ctx, made.ID, spec)
		return err
	})
	return now, err
}

// wrote is a service after a write. What was written is what it is held against from here on:
// somebody may have changed it already.
func (r *run) wrote(ctx context.Context, id string, spec swarm.ServiceSpec) (*swarm.Service, error) {
	now, err := r.inspect(ctx, id)
	if err == nil && !r.sameSpec(now.Spec, spec) {
		now.Spec = convert.Shown(spec, r.netIDs)
	}
	return now, err
}

// update sends a spec to a service which is as `seen` says. Swarm's own writes (the status of
// an update) move a service's version too: then it is read again, and the spec is sent again
// only where the spec that is live is still the one that was seen.
func (r *run) update(ctx context.Context, seen swarm.Service, spec swarm.ServiceSpec) (now *swarm.Service, err error) {
	version := seen.Version
	sent := false
	err = remote.RetryTold(ctx, r.ends, r.Report, func() error {
		for {
			if version != seen.Version || sent {
				live, err := r.inspect(ctx, seen.ID)
				if err != nil {
					return err
				}
				if sent && r.sameSpec(live.Spec, spec) {
					now = live // an attempt whose answer was lost
					return nil
				}
				if !r.sameSpec(live.Spec, seen.Spec) {
					return &MovedError{[]string{fmt.Sprintf("service %s was changed by another meanwhile", seen.Spec.Name)}}
				}
				version = live.Version
			}
			sent = true
			_, err := r.Docker.ServiceUpdate(ctx, seen.ID, client.ServiceUpdateOptions{
				Version: version, Spec: spec, EncodedRegistryAuth: r.auth(spec), RegistryAuthFrom: swarm.RegistryAuthFromSpec,
			})
			if err == nil {
				now, err = r.wrote(ctx, seen.ID, spec)
				return err
			}
			if !strings.Contains(err.Error(), "update out of sequence") {
				return err
			}
		}
	})
	return now, err
}

// sameSpec compares specs as the daemon shows them.
func (r *run) sameSpec(a, b swarm.ServiceSpec) bool {
	return reflect.DeepEqual(convert.Shown(a, r.netIDs), convert.Shown(b, r.netIDs))
}

func (r *run) inspect(ctx context.Context, id string) (*swarm.Service, error) {
	got, err := r.Docker.ServiceInspect(ctx, id, client.ServiceInspectOptions{})
	if err != nil {
		return nil, err
	}
	return &got.Service, nil
}

func (r *run) auth(spec swarm.ServiceSpec) string {
	if r.Auth == nil || spec.TaskTemplate.ContainerSpec == nil {
		return ""
	}
	return r.Auth(spec.TaskTemplate.ContainerSpec.Image)
}

// removeService removes a service and waits until its tasks have gone, so that what they hold
// (ports, volumes, names) is free.
func (r *run) removeService(ctx context.Context, id, name string) error {
	return remote.RetryTold(ctx, r.ends, r.Report, func() error {
		if _, err := r.Docker.ServiceRemove(ctx, id, client.ServiceRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		return r.until(ctx, "the tasks of "+name+" have ended", func() (bool, error) { return r.gone(ctx, id) })
	})
}

// gone tells whether no task of a removed service runs any more. Swarm forgets the tasks once
// their nodes have reported the end.
func (r *run) gone(ctx context.Context, service string) (bool, error) {
	tasks, err := r.Docker.TaskList(ctx, client.TaskListOptions{Filters: make(client.Filters).Add("service", service)})
	if err != nil {
		return errdefs.IsNotFound(err), ignoreNotFound(err)
	}
	for _, t := range tasks.Items {
		switch t.Status.State {
		case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		default:
			return false, nil
		}
	}
	return true, nil
}

func ignoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// until asks again and again; Swarm sends no event for what is asked here.
func (r *run) until(ctx context.Context, what string, is func() (bool, error)) error {
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		if time.Now().After(r.ends) {
			return fmt.Errorf("gave up waiting until %s", what)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
