package lock

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

const stack = "shop_dev"

func bed(t *testing.T) *client.Client {
	t.Helper()
	d := dockerd.Start(t, dockerd.Options{})
	d.Init(t)
	return d.Client
}

func acquire(t *testing.T, docker *client.Client, who string, o Options) *Lock {
	t.Helper()
	l, err := Acquire(t.Context(), docker, stack, Owner{who, "deploy"}, o)
	if err != nil {
		t.Fatalf("%s: %v", who, err)
	}
	t.Cleanup(func() { _ = l.Release(context.WithoutCancel(t.Context())) })
	return l
}

func giveBack(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// abandon leaves a lock behind as a killed holder does.
func abandon(l *Lock) {
	l.stop()
	<-l.ended
}

func TestOneOfManyTakesIt(t *testing.T) {
	docker := bed(t)
	var mu sync.Mutex
	var won []*Lock
	var eg sync.WaitGroup
	for i := range 8 {
		eg.Go(func() {
			l, err := Acquire(t.Context(), docker, stack, Owner{"racer" + strconv.Itoa(i), "deploy"}, Options{Lease: 3 * time.Second})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, l)
			} else if !errors.Is(err, ErrHeld) {
				t.Errorf("racer %d: %v", i, err)
			}
		})
	}
	eg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d have the lock", len(won))
	}
	if err := won[0].Check(t.Context()); err != nil {
		t.Error(err)
	}
	giveBack(t, won[0])
	giveBack(t, won[0]) // it may be given back again
	next := acquire(t, docker, "next", Options{})
	if err := won[0].Check(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("a lock that was given back is held: %v", err)
	}
	if err := next.Check(t.Context()); err != nil {
		t.Error(err)
	}
	other, err := Acquire(t.Context(), docker, "shop_prod", Owner{"anna", "deploy"}, Options{})
	if err != nil {
		t.Fatalf("another stack's lock: %v", err)
	}
	giveBack(t, other)
}

func TestALivingHolderIsNotDisturbed(t *testing.T) {
	docker := bed(t)
	held := acquire(t, docker, "anna", Options{Lease: time.Second})
	for _, wait := range []time.Duration{0, 2 * time.Second} {
		_, err := Acquire(t.Context(), docker, stack, Owner{"ben", "deploy"}, Options{Wait: wait, Lease: time.Second})
		if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "shop_dev is locked by anna (deploy) since ") {
			t.Errorf("waiting for %s: %v", wait, err)
		}
	}
	if err := held.Check(t.Context()); err != nil {
		t.Error(err)
	}
	got := make(chan error, 1)
	go func() {
		l, err := Acquire(t.Context(), docker, stack, Owner{"ben", "deploy"}, Options{Wait: time.Minute, Lease: time.Second})
		if err == nil {
			err = l.Check(t.Context())
		}
		got <- err
	}()
	giveBack(t, held)
	if err := <-got; err != nil {
		t.Errorf("who waits does not get it: %v", err)
	}
}

// Only whether the version moves tells whether a holder lives, for as long as its own lease.
func TestADeadHoldersLockIsTakenOver(t *testing.T) {
	docker := bed(t)
	dead := acquire(t, docker, "anna", Options{Lease: time.Second})
	abandon(dead)
	took := acquire(t, docker, "ben", Options{Lease: time.Minute}) // without a wait
	if err := dead.Check(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("one that was taken for dead may still write: %v", err)
	}
	if err := dead.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := took.Check(t.Context()); err != nil {
		t.Errorf("the dead one's lock was given back, and the new one's with it: %v", err)
	}
}

func TestABrokenLockIsLost(t *testing.T) {
	docker := bed(t)
	if _, was, err := Break(t.Context(), docker, stack); was || err != nil {
		t.Errorf("there is none to break: %t, %v", was, err)
	}
	held := acquire(t, docker, "anna", Options{Lease: time.Hour})
	configs, err := docker.ConfigList(t.Context(), client.ConfigListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if owner, is := Held(configs.Items, stack); !is || owner.String() != "anna (deploy)" {
		t.Errorf("%v %t", owner, is)
	}
	owner, was, err := Break(t.Context(), docker, stack)
	if err != nil || !was || owner.Who != "anna" {
		t.Errorf("%v %t %v", owner, was, err)
	}
	if err := held.Check(t.Context()); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "nothing more is written") {
		t.Errorf("%v", err)
	}
	acquire(t, docker, "ben", Options{})
	if err := held.Check(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("another's lock passes for one's own: %v", err)
	}
}

// A holder whose beats do not arrive stops before somebody else takes over.
func TestWhoCannotBeatStopsByItself(t *testing.T) {
	docker := bed(t)
	held := acquire(t, docker, "anna", Options{Lease: time.Second})
	abandon(held)
	for held.Check(t.Context()) == nil { // nobody takes it away
		time.Sleep(10 * time.Millisecond)
	}
	if err := held.Check(t.Context()); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "the lock's lease of 1s") {
		t.Errorf("%v", err)
	}
}

func TestLifeIsJudgedByTheVersionAlone(t *testing.T) {
	config := func(id string, version uint64, lease string) *swarm.Config {
		c := &swarm.Config{ID: id, Meta: swarm.Meta{Version: swarm.Version{Index: version}}}
		c.CreatedAt = time.Unix(0, 0) // a clock that is wrong by decades
		c.Spec.Labels = map[string]string{labelLease: lease}
		return c
	}
	w := &waiting{}
	for i, step := range []struct {
		held *swarm.Config
		want life
	}{
		{config("a", 1, "3600000"), unknown},
		{config("a", 1, "3600000"), unknown},
		{config("a", 2, "3600000"), living},
		{config("a", 2, "3600000"), living}, // it need not move at each look
		{config("b", 2, "3600000"), unknown},
		{config("b", 2, "-1"), unknown},
	} {
		if got := w.look(step.held, time.Hour); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
	w.moved = time.Now().Add(-2 * time.Minute)
	for lease, want := range map[string]life{"60000": dead, "3600000": unknown, "x": dead} {
		if got := w.look(config("b", 2, lease), time.Minute); got != want {
			t.Errorf("a lease of %q: %d, want %d", lease, got, want)
		}
	}
	if got := leaseOf(config("b", 2, strconv.Itoa(1<<40)), time.Minute); got != 10*time.Minute {
		t.Errorf("a lease of decades is %s", got)
	}
}

// What is written in the Swarm names nobody but the holder.
func TestWhatALockSays(t *testing.T) {
	docker := bed(t)
	held := acquire(t, docker, "anna", Options{})
	got, err := docker.ConfigInspect(t.Context(), held.id, client.ConfigInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	labels := maps.Clone(got.Config.Spec.Labels)
	delete(labels, labelToken)
	if want := map[string]string{labelWho: "anna", labelReason: "deploy", labelLease: "30000", labelBeat: "0"}; !maps.Equal(labels, want) || got.Config.Spec.Name != "slipway-lock_shop_dev" {
		t.Errorf("%v", got.Config.Spec)
	}
}
