package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/watch"
	"slipway/progress"
)

// Hook is a change of one service's image that somebody else makes: Portainer, called by a webhook.
type Hook struct {
	Service string // its name in the Swarm
	Image   string // as it is to be, with tag and digest
	// Call changes it. An UnsureError says that the change may still come.
	Call func(context.Context) error
}

// UnsureError is of a call whose answer was lost.
type UnsureError struct{ Cause error }

func (e UnsureError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e UnsureError) Unwrap() error { return e.Cause }

// latest is how long a change is waited for whose call was not answered.
const latest = 15 * time.Second

// Hooked lets the hook change the service and sees it through, as Deploy does what it writes
// itself: with the stack's lock, a record where the stack has releases, a verdict about what is
// live, and the way back. Request.Want is not asked for.
func Hooked(ctx context.Context, r Request, stack string, h Hook) (*Verdict, error) {
	if r.Report == nil {
		r.Report = progress.Discard()
	}
	r.Record.Stack = stack
	state, service, err := r.hookable(ctx, stack, h)
	if err != nil {
		return nil, err
	}
	if service.Spec.TaskTemplate.ContainerSpec.Image == h.Image {
		r.Want = &convert.Stack{Name: stack, Services: []convert.Service{keyed(stack, service.Spec)}}
		return r.verify(ctx, state, &diff.Plan{})
	}
	held, err := lock.Acquire(ctx, r.Docker, stack, lock.Owner{Who: r.Record.Who, Reason: r.Reason}, r.Lock)
	if err != nil {
		return nil, err
	}
	defer held.LetGo(ctx)
	if state, service, err = r.hookable(ctx, stack, h); err != nil {
		return nil, err
	}
	run, err := r.beginHook(ctx, held, state, service, h)
	if err != nil {
		return nil, err
	}
	return run.hooked(ctx, service, h)
}

func (r Request) hookable(ctx context.Context, stack string, h Hook) (*live.State, *swarm.Service, error) {
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		return nil, nil, err
	}
	service := state.Service(h.Service)
	if service == nil || service.Spec.TaskTemplate.ContainerSpec == nil {
		return nil, nil, fmt.Errorf("%s has no service %s any more", stack, h.Service)
	}
	return state, service, nil
}

func keyed(stack string, spec swarm.ServiceSpec) convert.Service {
	return convert.Service{Key: live.Key(stack, spec), Spec: spec}
}

// beginHook writes a release's record: the last release that went well, with the one image
// changed. A stack that has none is somebody else's, and gets none.
func (r Request) beginHook(ctx context.Context, held *lock.Lock, state *live.State, service *swarm.Service, h Hook) (*run, error) {
	after := keyed(r.Record.Stack, withImage(service.Spec, h.Image))
	plan := &diff.Plan{Stack: r.Record.Stack, Operations: []diff.Operation{{
		Action: diff.Update, Kind: diff.ServiceKind, Name: after.Spec.Name, Key: after.Key, Restarts: true, ID: service.ID, Version: service.Version.Index,
		Fields: []diff.Field{{Path: "image", Old: service.Spec.TaskTemplate.ContainerSpec.Image, New: h.Image}},
	}}}
	r.Want = &convert.Stack{Name: r.Record.Stack, Services: []convert.Service{after}}
	entries, _ := release.Entries(state.Configs, r.Record.Stack)
	i := slices.IndexFunc(entries, func(e release.Entry) bool { return e.State == release.Done })
	if i >= 0 {
		want := *entries[i].Want
		want.Services = slices.Clone(want.Services)
		for k, s := range want.Services {
			if s.Spec.Name == h.Service {
				want.Services[k].Spec = withImage(s.Spec, h.Image)
				r.Want = &want
			}
		}
		if r.Want != &want {
			i = -1
		}
	}
	var out *run
	var err error
	if i >= 0 {
		out, err = r.begin(ctx, held, state, plan)
	} else {
		out = &run{Request: r, held: held, plan: plan, before: state, verdict: newVerdict(r, plan), ends: time.Now().Add(r.Timeout), netIDs: state.NetworkIDs()}
		out.tasks, err = r.tasksNow(ctx, h.Service, "service", service.ID)
	}
	if err != nil {
		return nil, err
	}
	out.verdict.Services = slices.DeleteFunc(out.verdict.Services, func(s Service) bool { return s.Name != h.Service })
	return out, nil
}

func withImage(spec swarm.ServiceSpec, image string) swarm.ServiceSpec {
	c := *spec.TaskTemplate.ContainerSpec
	c.Image = image
	spec.TaskTemplate.ContainerSpec = &c
	return spec
}

// hooked calls the hook, looks at what it has done, and waits.
func (r *run) hooked(ctx context.Context, before *swarm.Service, h Hook) (*Verdict, error) {
	if err := r.held.Check(ctx); err != nil {
		return nil, r.unhooked(ctx, err)
	}
	task := r.Report.Start("calling the webhook of " + r.verdict.Services[0].Key)
	err := h.Call(ctx)
	task.Done(err)
	now, fault := r.inspect(ctx, before.ID)
	var unsure UnsureError
	for end := time.Now().Add(min(latest, r.Timeout)); errors.As(err, &unsure) && fault == nil && r.sameSpec(now.Spec, before.Spec) && time.Now().Before(end) && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		now, fault = r.inspect(ctx, before.ID)
	}
	switch {
	case fault != nil:
		return nil, r.unhooked(ctx, errors.Join(err, fmt.Errorf("what the webhook has done is not known (deploy:status tells, once the Swarm answers): %w", fault)))
	case r.sameSpec(now.Spec, before.Spec) && err != nil:
		return nil, r.unhooked(ctx, fmt.Errorf("%w\n%s was not changed", err, h.Service))
	case r.sameSpec(now.Spec, before.Spec):
		return nil, r.unhooked(ctx, r.astray(ctx, h))
	}
	v, w := r.verdict, &written{Service: keyed(r.Want.Name, withImage(before.Spec, h.Image)), action: diff.Update, before: before}
	w.goal = watch.Goal{Key: w.Key, Name: h.Service, ID: now.ID, Spec: now.Spec, Version: now.Version.Index, Change: watch.Updated, Before: r.tasks[now.ID]}
	r.written = []*written{w}
	live := now.Spec.TaskTemplate.ContainerSpec.Image
	v.Services[0].Image = live
	named, _, _ := strings.Cut(h.Image, "@")
	switch {
	case live == named: // Docker's client only warns where a registry does not show it the digest
		err = fmt.Errorf("Portainer was not shown the digest of %s, so that each node takes what the tag means to it, and nobody can say what runs: choose the registry at the webhook, in Portainer", named)
	case live != h.Image:
		err = fmt.Errorf("%s was set to %s, and %s was asked for: the tag was moved meanwhile, or somebody else changed the service", h.Service, live, h.Image)
	default:
		err = r.watch(ctx, []watch.Goal{w.goal})
	}
	switch bad := (*badError)(nil); {
	case err != nil && stopped(ctx):
		v.Result, v.Cause = Interrupted, context.Cause(ctx).Error()
		v.Left, v.Next = []string{fmt.Sprintf("service %s: changed by the webhook, and not seen through", w.Key)}, "see with deploy:status how it went on, or go back with deploy:rollback"
		return v.conclude(), context.Cause(ctx)
	case errors.As(err, &bad):
		v.Cause = err.Error()
		r.back(ctx, bad.outcomes)
	case err != nil:
		v.Cause = err.Error()
		r.back(ctx, nil)
	default:
		v.Result = Done
	}
	return v.conclude(), r.noted(ctx, map[Result]release.State{Done: release.Done, RolledBack: release.RolledBack}[v.Result])
}

// unhooked is for a hook that has changed nothing of the service: there is no verdict about it.
func (r *run) unhooked(ctx context.Context, err error) error {
	r.verdict.Cause = err.Error()
	return errors.Join(err, r.noted(ctx, release.Failed))
}

// noted completes the record, where there is one.
func (r *run) noted(ctx context.Context, state release.State) error {
	if state == "" {
		state = release.Failed
	}
	if r.entry == nil {
		return nil
	}
	closing, cancel := afterwards(ctx)
	defer cancel()
	return r.entry.Finish(closing, r.Docker, state, r.verdict.Cause)
}

// astray says what else a webhook has changed that was taken for the service's.
func (r *run) astray(ctx context.Context, h Hook) error {
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		return fmt.Errorf("Portainer has answered that it is done, and %s is as it was: the webhook is another service's", h.Service)
	}
	var others []string
	for _, s := range state.Services {
		if was := r.before.Service(s.Spec.Name); was != nil && was.ID == s.ID && !r.sameSpec(was.Spec, s.Spec) {
			others = append(others, s.Spec.Name)
		}
	}
	if others == nil {
		return fmt.Errorf("Portainer has answered that it is done, and %s is as it was: the webhook is that of a service in another Swarm. Take the address that Portainer shows at this service", h.Service)
	}
	return fmt.Errorf("the webhook is not that of %s, which is as it was, but of %s, which it has changed: bring that back, and take the address that Portainer shows at %s", h.Service, strings.Join(others, " and "), h.Service)
}
