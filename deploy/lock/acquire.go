package lock

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/progress"
)

// HeldError says who has the lock.
type HeldError struct {
	Stack string
	Owner Owner
	Since time.Time // by the Swarm's clock
	Wait  time.Duration
}

func (e *HeldError) Error() string {
	text := fmt.Sprintf("%s is locked by %s since %s", e.Stack, e.Owner, e.Since.Format("15:04:05 MST"))
	if e.Wait > 0 {
		return text + fmt.Sprintf(": it was not given back within %s", e.Wait)
	}
	return text + ": try again later, wait with -wait=5m, or, if you know that nobody is at it, break the lock with deploy:unlock"
}

// Is makes it an ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// Acquire takes the lock of a stack. One whose holder is dead is taken over once its version
// has not moved for the length of its lease, as seen from here.
func Acquire(ctx context.Context, docker *client.Client, stack string, o Owner, opt Options) (*Lock, error) {
	opt.Lease = cmp.Or(opt.Lease, 30*time.Second)
	if opt.Report == nil {
		opt.Report = progress.Discard()
	}
	w := &waiting{began: time.Now()}
	var task progress.Task
	done := func(err error) {
		if task != nil {
			task.Done(err)
		}
	}
	for {
		l, err := create(ctx, docker, stack, o, opt.Lease)
		if l != nil || err != nil {
			done(err)
			return l, err
		}
		held, err := find(ctx, docker, stack)
		if err != nil {
			done(err)
			return nil, err
		}
		if held == nil {
			continue // it was given back in between
		}
		if task == nil {
			task = opt.Report.Start(fmt.Sprintf("waiting for the lock of %s, held by %s", stack, ownerOf(held)))
		}
		switch alive := w.look(held, opt.Lease); {
		case alive == dead:
			task.Log("its holder gives no sign of life: taking it over")
			if _, err := docker.ConfigRemove(ctx, held.ID, client.ConfigRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
				done(err)
				return nil, fmt.Errorf("taking over the lock of %s: %w", stack, err)
			}
			continue
		case opt.Wait == 0 && alive == living, opt.Wait > 0 && alive != unknown && time.Since(w.began) > opt.Wait:
			err := &HeldError{Stack: stack, Owner: ownerOf(held), Since: held.CreatedAt, Wait: opt.Wait}
			done(err)
			return nil, err
		}
		select {
		case <-ctx.Done():
			done(context.Cause(ctx))
			return nil, context.Cause(ctx)
		case <-time.After(min(200*time.Millisecond, opt.Lease/10)):
		}
	}
}

type life int

const (
	unknown life = iota
	living
	dead
)

// waiting remembers what has been seen of a lock that somebody else holds.
type waiting struct {
	began, moved time.Time
	id           string
	version      uint64
	seen         life
}

func (w *waiting) look(held *swarm.Config, otherwise time.Duration) life {
	now := time.Now()
	switch {
	case held.ID != w.id:
		w.id, w.version, w.moved, w.seen = held.ID, held.Version.Index, now, unknown
	case held.Version.Index != w.version:
		w.version, w.moved, w.seen = held.Version.Index, now, living
	case now.Sub(w.moved) > leaseOf(held, otherwise):
		return dead
	}
	return w.seen
}

// leaseOf is the lease that a lock's holder works by, within reason.
func leaseOf(held *swarm.Config, otherwise time.Duration) time.Duration {
	ms, err := strconv.ParseInt(held.Spec.Labels[labelLease], 10, 64)
	if err != nil || ms <= 0 {
		return otherwise
	}
	return min(time.Duration(ms)*time.Millisecond, 10*time.Minute)
}

func ownerOf(c *swarm.Config) Owner {
	return Owner{Who: cmp.Or(c.Spec.Labels[labelWho], "somebody"), Reason: cmp.Or(c.Spec.Labels[labelReason], "no reason given")}
}

// find looks for a stack's lock, nil where nobody has it.
func find(ctx context.Context, docker *client.Client, stack string) (*swarm.Config, error) {
	got, err := docker.ConfigInspect(ctx, name(stack), client.ConfigInspectOptions{})
	switch {
	case errdefs.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking at the lock of %s: %w", stack, err)
	}
	return &got.Config, nil
}

// Break removes a lock, whoever holds it; the holder stops before its next write. It tells
// whose it was, false where there was none.
func Break(ctx context.Context, docker *client.Client, stack string) (Owner, bool, error) {
	held, err := find(ctx, docker, stack)
	if held == nil || err != nil {
		return Owner{}, false, err
	}
	if _, err := docker.ConfigRemove(ctx, held.ID, client.ConfigRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
		return Owner{}, false, fmt.Errorf("removing the lock of %s: %w", stack, err)
	}
	return ownerOf(held), true, nil
}

// Held tells who has a stack's lock among a Swarm's configs.
func Held(configs []swarm.Config, stack string) (Owner, bool) {
	for i := range configs {
		if configs[i].Spec.Name == name(stack) {
			return ownerOf(&configs[i]), true
		}
	}
	return Owner{}, false
}
