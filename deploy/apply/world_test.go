package apply

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/test/dockerd"
)

const stackName = "shop_dev"

func labels() map[string]string { return map[string]string{convert.LabelNamespace: stackName} }

// service is one of a stack, after those that it depends on.
func service(key string, after ...string) convert.Service {
	return convert.Service{Key: key, DependsOn: after, Spec: swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: stackName + "_" + key, Labels: labels()},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: key + ":1"}},
	}}
}

func job(key string, after ...string) convert.Service {
	s := service(key, after...)
	s.Spec.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}}
	return s
}

func mounting(s convert.Service, kind mount.Type, readOnly bool) convert.Service {
	s.Spec.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: kind, Source: "x", Target: "/x", ReadOnly: readOnly}}
	return s
}

func want(image string, more ...convert.Service) *convert.Stack {
	web := service("web")
	web.Spec.TaskTemplate.ContainerSpec.Image = image
	return &convert.Stack{Name: stackName, Services: append([]convert.Service{web}, more...)}
}

// world is a Swarm with these services of the stack.
func world(keys ...string) *live.State {
	s := &live.State{}
	for _, k := range keys {
		s.Services = append(s.Services, swarm.Service{ID: "id-" + k, Spec: convert.Shown(service(k).Spec, nil)})
	}
	return s
}

// recorded is a release: how it ended, and the image that it wanted.
type recorded struct {
	state release.State
	image string
}

// releases writes records of a stack to a Swarm, the oldest first.
func releases(t *testing.T, d *dockerd.Daemon, stack string, all ...recorded) {
	t.Helper()
	for _, r := range all {
		w := want(r.image)
		w.Name = stack
		e, err := release.Begin(t.Context(), d.Client, release.Record{Stack: stack, Want: w, Started: time.Unix(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if r.state != release.Applying {
			if err := e.Finish(t.Context(), d.Client, r.state, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func configs(t *testing.T, d *dockerd.Daemon) []swarm.Config {
	t.Helper()
	got, err := d.Client.ConfigList(t.Context(), client.ConfigListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return got.Items
}
