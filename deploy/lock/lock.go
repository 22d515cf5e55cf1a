// Package lock lets one deploy at a time write to a stack. The lock is in the Swarm: a config
// of a fixed name, which only one client can create. Its holder moves the config's version
// again and again; one that no longer does is taken for dead. No two clocks are compared.
package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/release"
	"slipway/progress"
)

var (
	// ErrHeld says that somebody else has the lock, and is alive.
	ErrHeld = errors.New("locked")
	// ErrLost says that the lock was taken away (deploy:unlock), or could not be kept alive.
	ErrLost = errors.New("lock lost")
)

// Owner says who holds a lock, and what for.
type Owner struct{ Who, Reason string }

func (o Owner) String() string { return fmt.Sprintf("%s (%s)", o.Who, o.Reason) }

// Options say how to wait.
type Options struct {
	Wait time.Duration // for a living holder to end; 0 gives up at once
	// Lease is how long a lock outlives its holder's death: 30 seconds unless given.
	Lease  time.Duration
	Report progress.Reporter
}

const (
	labelWho    = "slipway.lock.who"
	labelReason = "slipway.lock.reason"
	labelToken  = "slipway.lock.token"
	labelLease  = "slipway.lock.lease" // in milliseconds
	labelBeat   = "slipway.lock.beat"
)

// Lock is a lock that is held.
type Lock struct {
	docker *client.Client
	id     string
	labels map[string]string
	lease  time.Duration
	stop   context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	last time.Time // of the last beat that arrived
	gone bool
}

func name(stack string) string { return release.ObjectName("lock", stack, "") }

// create takes the lock if nobody has it; nil without an error where somebody does.
func create(ctx context.Context, docker *client.Client, stack string, o Owner, lease time.Duration) (*Lock, error) {
	l := &Lock{docker: docker, lease: lease, ended: make(chan struct{}), last: time.Now(), labels: map[string]string{
		labelWho: o.Who, labelReason: o.Reason, labelToken: rand.Text(), labelLease: strconv.FormatInt(lease.Milliseconds(), 10), labelBeat: "0",
	}}
	got, err := docker.ConfigCreate(ctx, client.ConfigCreateOptions{Spec: swarm.ConfigSpec{
		Annotations: swarm.Annotations{Name: name(stack), Labels: l.labels}, Data: []byte("held by slipway\n"),
	}})
	switch {
	case errdefs.IsConflict(err) || errdefs.IsAlreadyExists(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("taking the lock of %s: %w", stack, err)
	}
	l.id = got.ID
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.beat(beating)
	return l, nil
}

// beat keeps the lock alive until it is released or lost.
func (l *Lock) beat(ctx context.Context) {
	defer close(l.ended)
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.lease / 3):
		}
		began := time.Now() // who waits for the lock sees the beat before its answer is here
		err := l.move(ctx, n)
		l.mu.Lock()
		if err == nil {
			l.last = began
		}
		l.gone = l.gone || errdefs.IsNotFound(err)
		lost := l.gone
		l.mu.Unlock()
		if lost {
			return
		}
	}
}

// move writes the next beat, which raises the config's version index.
func (l *Lock) move(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, l.lease)
	defer cancel()
	now, err := l.docker.ConfigInspect(ctx, l.id, client.ConfigInspectOptions{})
	if err != nil {
		return err
	}
	spec := now.Config.Spec
	spec.Labels = maps.Clone(l.labels)
	spec.Labels[labelBeat] = strconv.Itoa(n)
	_, err = l.docker.ConfigUpdate(ctx, l.id, client.ConfigUpdateOptions{Version: now.Config.Version, Spec: spec})
	return err
}

// Check makes sure that the lock is still held, before a write. It is ErrLost where it is not,
// or where no beat has arrived for a lease's length.
func (l *Lock) Check(ctx context.Context) error {
	_, err := l.docker.ConfigInspect(ctx, l.id, client.ConfigInspectOptions{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = l.gone || errdefs.IsNotFound(err)
	switch {
	case l.gone:
		return fmt.Errorf("%w: somebody has removed it (deploy:unlock, or a clean-up of configs); nothing more is written", ErrLost)
	case time.Since(l.last) > l.lease:
		return fmt.Errorf("%w: the connection was gone for longer than the lock's lease of %s, and somebody else may deploy; nothing more is written", ErrLost, l.lease)
	}
	return nil // without an answer, the next beats decide
}

// Release gives the lock back. It may be called again.
func (l *Lock) Release(ctx context.Context) error {
	l.stop()
	<-l.ended
	_, err := l.docker.ConfigRemove(ctx, l.id, client.ConfigRemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("giving back the lock: %w; it runs out by itself after %s", err, l.lease)
	}
	return nil
}

// LetGo gives the lock back when the work is over, also where it was stopped. A lock that cannot be
// given back runs out by itself.
func (l *Lock) LetGo(ctx context.Context) {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = l.Release(closing)
}
