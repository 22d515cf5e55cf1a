package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

func TestRead(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{})
	if _, err := Read(t.Context(), d.Client); err == nil || !strings.Contains(err.Error(), "listing the Swarm's ") {
		t.Errorf("a daemon in no swarm: %v", err)
	}
	d.Init(t)
	ctx := t.Context()
	ids := map[string]string{}
	keep := func(name, id string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	for _, name := range []string{"b", "a"} {
		n, err := d.Client.NetworkCreate(ctx, "net-"+name, client.NetworkCreateOptions{Driver: "overlay"})
		keep("net-"+name, n.ID, err)
		c, err := d.Client.ConfigCreate(ctx, client.ConfigCreateOptions{Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "config-" + name}, Data: []byte("content")}})
		keep("config-"+name, c.ID, err)
		s, err := d.Client.SecretCreate(ctx, client.SecretCreateOptions{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "secret-" + name}, Data: []byte("c4n4ry")}})
		keep("secret-"+name, s.ID, err)
		v, err := d.Client.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: swarm.ServiceSpec{
			Annotations: swarm.Annotations{Name: "service-" + name}, TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "example.invalid/x:1"}},
			Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(0))}},
		}})
		keep("service-"+name, v.ID, err)
	}
	if _, err := d.Client.NetworkCreate(ctx, "only-here", client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
		t.Fatal(err)
	}
	s, err := Read(ctx, d.Client)
	if err != nil {
		t.Fatal(err)
	}
	if s.API == "" || len(s.Nodes) != 1 || len(s.Services) != 2 || s.Services[0].Spec.Name != "service-a" || s.Configs[1].Spec.Name != "config-b" || string(s.Configs[0].Spec.Data) != "content" {
		t.Errorf("%+v", s)
	}
	if s.Network("only-here") != nil || s.Network("bridge") != nil {
		t.Error("a network of one node passes for the Swarm's")
	}
	if n := s.NetworkIDs(); n["net-a"] != ids["net-a"] || n["net-b"] != ids["net-b"] {
		t.Errorf("%v", n)
	}
	if slices.ContainsFunc(s.Secrets, func(x swarm.Secret) bool { return len(x.Spec.Data) > 0 }) {
		t.Error("a secret's value was read")
	}
	if s.Service("service-b").ID != ids["service-b"] || s.Network("net-b").ID != ids["net-b"] || s.Config("config-b").ID != ids["config-b"] || s.Secret("secret-b").ID != ids["secret-b"] {
		t.Error("what is looked up by name is another")
	}
	if s.Service("x") != nil || s.Network("x") != nil || s.Config("x") != nil || s.Secret("x") != nil {
		t.Error("what is not there is found")
	}
}
