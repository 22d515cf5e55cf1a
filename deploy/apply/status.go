package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"slipway/deploy/collect"
	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/watch"
	"slipway/progress"
)

// Goals has a stack's services as they are live.
func Goals(state *live.State, stack string) []watch.Goal {
	var out []watch.Goal
	for _, s := range state.Of(stack) {
		out = append(out, watch.Goal{Key: live.Key(stack, s.Spec), Name: s.Spec.Name, ID: s.ID, Spec: s.Spec, Version: s.Version.Index, Change: watch.Unchanged})
	}
	return out
}

// Drift names what is live and not as a release wanted it, a line for each field.
func Drift(state *live.State, e *release.Entry) []string {
	plan, err := diff.Compute(e.Want, state, diff.Options{AllowReplace: true, Owned: release.Owned([]release.Entry{*e})})
	if err != nil {
		return strings.Split(err.Error(), "\n")
	}
	out := []string{}
	for _, op := range plan.Operations {
		thing := fmt.Sprintf("%s %s", op.Kind, op.Name)
		switch op.Action {
		case diff.Create:
			out = append(out, thing+" is missing")
		case diff.Keep, diff.Remove:
			out = append(out, thing+" is there, and is not of the release")
		}
		for _, f := range op.Fields {
			out = append(out, fmt.Sprintf("%s: %s: released %q, live %q", thing, f.Path, f.New, f.Old))
		}
	}
	return out
}

// removable are the objects of a stack that its removal takes away.
type removable struct {
	services, networks []collect.Object
	rest               collect.Unused
	strange            []string // bears the stack's label, and no release recorded it
}

func (r removable) lines() (out []string) {
	for _, k := range []struct {
		kind    string
		objects []collect.Object
	}{{"service", r.services}, {"network", r.networks}, {"config", r.rest.Configs}, {"secret", r.rest.Secrets}} {
		for _, o := range k.objects {
			out = append(out, k.kind+" "+o.Name)
		}
	}
	for _, e := range r.rest.Releases {
		out = append(out, fmt.Sprintf("record of release %d", e.Number))
	}
	return out
}

// findRemovable takes what bears the stack's label and was recorded by a release: a label alone
// may be somebody else's.
func findRemovable(state *live.State, stack string) (r removable) {
	r.rest.Releases, _ = release.Entries(state.Configs, stack)
	owned := release.Owned(r.rest.Releases)
	find := func(kind diff.Kind, to *[]collect.Object, recorded []string, id, name string, labels map[string]string) {
		switch {
		case labels[convert.LabelNamespace] != stack:
		case slices.Contains(recorded, name):
			*to = append(*to, collect.Object{ID: id, Name: name})
		default:
			r.strange = append(r.strange, fmt.Sprintf("%s %s", kind, name))
		}
	}
	for _, s := range state.Services {
		find(diff.ServiceKind, &r.services, owned.Services, s.ID, s.Spec.Name, s.Spec.Labels)
	}
	for _, n := range state.Networks {
		find(diff.NetworkKind, &r.networks, owned.Networks, n.ID, n.Name, n.Labels)
	}
	for _, c := range state.Configs {
		find(diff.ConfigKind, &r.rest.Configs, owned.Configs, c.ID, c.Spec.Name, c.Spec.Labels)
	}
	for _, s := range state.Secrets {
		find(diff.SecretKind, &r.rest.Secrets, owned.Secrets, s.ID, s.Spec.Name, s.Spec.Labels)
	}
	return r
}

// Removable names what Remove would take away.
func Removable(state *live.State, stack string) []string { return findRemovable(state, stack).lines() }

// Remove takes a stack away: services first, then what they used. Volumes, files on servers
// and what is external stay.
func Remove(ctx context.Context, r Request, stack string) (removed []string, err error) {
	if r.Report == nil {
		r.Report = progress.Discard()
	}
	held, err := lock.Acquire(ctx, r.Docker, stack, lock.Owner{Who: r.Record.Who, Reason: r.Reason}, r.Lock)
	if err != nil {
		return nil, err
	}
	defer held.LetGo(ctx)
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		return nil, err
	}
	if _, err := r.check(ctx, state, nil); err != nil {
		return nil, err
	}
	what := findRemovable(state, stack)
	for _, s := range what.strange {
		r.Report.Start("keeping " + s + ", which no release of " + stack + " recorded").Done(nil)
	}
	w := &run{Request: r, held: held, ends: time.Now().Add(r.Timeout)}
	for _, s := range what.services { // all at once, and then the wait for their tasks
		if err := held.Check(ctx); err != nil {
			return removed, err
		}
		if _, err := r.Docker.ServiceRemove(ctx, s.ID, client.ServiceRemoveOptions{}); err != nil && ignoreNotFound(err) != nil {
			return removed, fmt.Errorf("removing service %s: %w", s.Name, err)
		}
	}
	for _, s := range what.services {
		if err := w.removeService(ctx, s.ID, s.Name); err != nil {
			return removed, fmt.Errorf("removing service %s: %w", s.Name, err)
		}
		removed = append(removed, "service "+s.Name)
	}
	for _, n := range what.networks {
		if err := held.Check(ctx); err != nil {
			return removed, err
		}
		if err := w.removeNetwork(ctx, n.ID, n.Name); err != nil {
			return removed, fmt.Errorf("removing network %s: %w", n.Name, err)
		}
		removed = append(removed, "network "+n.Name)
	}
	if r.Emptied != nil {
		more, err := r.Emptied(ctx)
		removed = append(removed, more...)
		if err != nil {
			return removed, err
		}
	}
	if err := held.Check(ctx); err != nil {
		return removed, err
	}
	rest, warnings := collect.Run(ctx, r.Docker, what.rest)
	if len(warnings) > 0 {
		return slices.Concat(removed, rest), errors.New(strings.Join(warnings, "\n"))
	}
	return slices.Concat(removed, rest), nil
}
