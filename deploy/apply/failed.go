package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"slipway/deploy/diff"
	"slipway/deploy/lock"
	"slipway/deploy/release"
)

// failed turns an error on the way into a verdict, after taking back what may be taken back.
func (r *run) failed(ctx context.Context, err error) (*Verdict, error) {
	v := r.verdict
	if stopped(ctx) {
		v.Result, v.Cause = Interrupted, context.Cause(ctx).Error()
		v.Left = r.halfway()
		v.Next = "deploy again to go on from here, or deploy:rollback to go back"
		return v.conclude(), context.Cause(ctx)
	}
	v.Cause = err.Error()
	var moved *MovedError
	var bad *badError
	switch {
	case errors.Is(err, lock.ErrLost): // whoever has the lock now may be writing
		v.Result, v.Left = Failed, r.halfway()
		v.Next = "see who else deploys (deploy:status), then deploy again"
		return v.conclude(), err
	case errors.As(err, &bad):
		r.back(ctx, bad.outcomes)
		err = nil
	case errors.As(err, &moved):
		r.back(ctx, nil)
	default:
		r.back(ctx, nil)
		err = nil
	}
	state := release.Failed
	if v.Result == RolledBack {
		state = release.RolledBack
	}
	r.finish(ctx, state)
	if moved != nil && len(r.written) == 0 {
		return nil, err
	}
	return v.conclude(), err
}

// unremoved is for a deploy whose services all run, and which could not remove what the manifest
// no longer has. Going back would help nobody, and what was removed does not come back.
func (r *run) unremoved(ctx context.Context, err error) (*Verdict, error) {
	if stopped(ctx) || errors.Is(err, lock.ErrLost) {
		return r.failed(ctx, err)
	}
	v := r.verdict
	v.Result, v.Cause = Failed, err.Error()
	v.Left = append(v.Left, "all services that the manifest has run as wanted")
	v.Next = "mend the cause and deploy again, which removes what is left over"
	r.finish(ctx, release.Failed)
	return v.conclude(), nil
}

// finish notes in the record how a deploy failed.
func (r *run) finish(ctx context.Context, state release.State) {
	closing, cancel := afterwards(ctx)
	defer cancel()
	if fault := r.entry.Finish(closing, r.Docker, state, r.verdict.Cause); fault != nil {
		r.verdict.Warnings = append(r.verdict.Warnings, fmt.Sprintf("the record of release %d could not be completed: %v", r.entry.Number, fault))
	}
}

// halfway names what is written already and what is not.
func (r *run) halfway() []string {
	done := map[string]bool{}
	for _, w := range r.written {
		done[w.Spec.Name] = true
	}
	var out []string
	for _, op := range r.plan.Operations {
		if op.Kind == diff.ServiceKind && changing(op.Action) {
			out = append(out, fmt.Sprintf("service %s: %s", cmp.Or(op.Key, op.Name), map[bool]string{true: "written", false: "not written"}[done[op.Name]]))
		}
	}
	return out
}
