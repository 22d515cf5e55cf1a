package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/test/dockerd"
)

// idle is a service that has no tasks: what is written about it needs no image.
func idle(key string, networks ...string) convert.Service {
	s := service(key)
	s.Spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(0))}}
	for _, n := range networks {
		s.Spec.TaskTemplate.Networks = append(s.Spec.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: n, Aliases: []string{key}})
	}
	return s
}

func stack(services ...convert.Service) *convert.Stack {
	return &convert.Stack{Name: stackName, Services: services}
}

func overlay(name string) network.CreateRequest {
	return network.CreateRequest{Name: name, Driver: "overlay", Labels: labels()}
}

func swarmOf(t *testing.T) (*dockerd.Daemon, func(*convert.Stack, ...func(*Request)) (*Verdict, error)) {
	t.Helper()
	d := dockerd.Start(t, dockerd.Options{})
	d.Init(t)
	return d, func(w *convert.Stack, change ...func(*Request)) (*Verdict, error) {
		r := Request{Docker: d.Client, Want: w, Timeout: 30 * time.Second, Keep: 10, Reason: "deploy", Record: release.Record{Who: "anna"}}
		for _, c := range change {
			c(&r)
		}
		return Deploy(t.Context(), r)
	}
}

func state(t *testing.T, d *dockerd.Daemon) *live.State {
	t.Helper()
	s, err := live.Read(t.Context(), d.Client)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func comes(t *testing.T, v *Verdict, err error, result Result) {
	t.Helper()
	if err != nil || v.Result != result {
		t.Fatalf("%+v, %v, want %q", v, err, result)
	}
}

// An update that changes nothing would overwrite PreviousSpec, and with it Swarm's own way back.
func TestWhereNothingChangedNothingIsSent(t *testing.T) {
	d, deploy := swarmOf(t)
	v, err := deploy(stack(idle("api"), idle("web")))
	comes(t, v, err, Done)
	changed := idle("web")
	changed.Spec.TaskTemplate.ContainerSpec.Image = "web:2"
	v, err = deploy(stack(idle("api"), changed))
	comes(t, v, err, Done)
	before := state(t, d)
	if was := before.Service("shop_dev_web").PreviousSpec; was == nil || was.TaskTemplate.ContainerSpec.Image != "web:1" {
		t.Fatalf("%+v", was)
	}
	if before.Service("shop_dev_api").PreviousSpec != nil {
		t.Error("a service that had not changed was written")
	}
	v, err = deploy(stack(idle("api"), changed))
	comes(t, v, err, Unchanged)
	if v.Release != 2 || v.Exit != 0 {
		t.Errorf("%+v", v)
	}
	after := state(t, d)
	for _, s := range before.Services {
		if now := after.Service(s.Spec.Name); now.Version != s.Version {
			t.Errorf("%s was written", s.Spec.Name)
		}
	}
	if len(after.Configs) != len(before.Configs) {
		t.Error("a record was written")
	}
}

// A network that another has come to use meanwhile cannot be removed. What the manifest has runs
// all the same, and going back would help nobody.
func TestWhatCannotBeRemovedTakesNothingBack(t *testing.T) {
	d, deploy := swarmOf(t)
	w := stack(idle("old", "shop_dev_net"), idle("web"))
	w.Networks = []network.CreateRequest{overlay("shop_dev_net")}
	v, err := deploy(w)
	comes(t, v, err, Done)
	changed := idle("web")
	changed.Spec.TaskTemplate.ContainerSpec.Image = "web:2"
	v, err = deploy(stack(changed), func(r *Request) {
		r.Timeout = 2 * time.Second
		r.Prepare = func(ctx context.Context) error { // the plan has been made by now
			other := idle("x", "shop_dev_net").Spec
			other.Name, other.Labels = "other_x", nil
			_, err := d.Client.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: other})
			return err
		}
	})
	comes(t, v, err, Failed)
	if v.Exit != ExitLeft || !strings.Contains(v.Cause, "removing network shop_dev_net") || strings.Join(v.Removed, " ") != "service shop_dev_old" {
		t.Errorf("%+v", v)
	}
	if now := state(t, d).Service("shop_dev_web"); now.Spec.TaskTemplate.ContainerSpec.Image != "web:2" {
		t.Error("the service was taken back")
	}
	v, err = deploy(stack(changed)) // the plan sees who uses it, and leaves it
	comes(t, v, err, Done)
}

// Another client makes a service of the wanted name after the plan: it is not taken for ours.
func TestAServiceThatAnotherMadeMeanwhile(t *testing.T) {
	d, deploy := swarmOf(t)
	var moved *MovedError
	_, err := deploy(stack(idle("web")), func(r *Request) {
		r.Prepare = func(ctx context.Context) error {
			other := idle("web").Spec
			other.TaskTemplate.ContainerSpec.Image = "another:1"
			_, err := d.Client.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: other})
			return err
		}
	})
	if !errors.As(err, &moved) || !strings.Contains(err.Error(), "service shop_dev_web was not there, and was made by another meanwhile") {
		t.Errorf("%v", err)
	}
	entries, _ := release.Entries(configs(t, d), stackName)
	if len(entries) != 1 || entries[0].State != release.Failed {
		t.Errorf("%+v", entries)
	}
}

// "update out of sequence": Swarm's own writes move a version, others' changes stop the deploy.
func TestUpdateOutOfSequence(t *testing.T) {
	d, deploy := swarmOf(t)
	v, err := deploy(stack(idle("web")))
	comes(t, v, err, Done)
	seen := *state(t, d).Service("shop_dev_web")
	write := func(change func(*swarm.ServiceSpec)) {
		t.Helper()
		now := state(t, d).Service("shop_dev_web")
		change(&now.Spec)
		if _, err := d.Client.ServiceUpdate(t.Context(), now.ID, client.ServiceUpdateOptions{Version: now.Version, Spec: now.Spec}); err != nil {
			t.Fatal(err)
		}
	}
	r := &run{Request: Request{Docker: d.Client}, ends: time.Now().Add(30 * time.Second)}
	spec := idle("web").Spec
	spec.TaskTemplate.ContainerSpec.Image = "web:2"
	write(func(*swarm.ServiceSpec) {})
	now, err := r.update(t.Context(), seen, spec)
	if err != nil || now.Spec.TaskTemplate.ContainerSpec.Image != "web:2" {
		t.Fatalf("%v: only the version had moved", err)
	}
	write(func(s *swarm.ServiceSpec) { s.Labels["by"] = "another" })
	var moved *MovedError
	if _, err := r.update(t.Context(), *now, idle("web").Spec); !errors.As(err, &moved) {
		t.Errorf("%v: another had changed it", err)
	}
	if got := state(t, d).Service("shop_dev_web").Spec; got.Labels["by"] != "another" || got.TaskTemplate.ContainerSpec.Image != "web:2" {
		t.Errorf("another's change was overwritten: %+v", got)
	}
}

// What the preflight has seen may be another by the time that the lock is there.
func TestThePreflightIsRunAgainWithTheLock(t *testing.T) {
	d, deploy := swarmOf(t)
	calls := 0
	_, err := deploy(stack(idle("web")), func(r *Request) {
		r.Check = func(context.Context, *live.State, *diff.Plan) ([]string, error) {
			if calls++; calls == 2 {
				return nil, errors.New("the port has been taken meanwhile")
			}
			return nil, nil
		}
	})
	if err == nil || err.Error() != "the port has been taken meanwhile" || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if s := state(t, d); len(s.Configs)+len(s.Services) != 0 {
		t.Errorf("something was written, or the lock is still there: %+v", s)
	}
}
