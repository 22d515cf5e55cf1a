package convert_test

import (
	"context"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/secret"
	"slipway/test/dockerd"
)

// A real daemon takes what is converted, and shows it as it was sent: a second deploy finds
// nothing to do. What the daemon fills in is in Shown.
func TestADaemonTakesItAndShowsItAsItIs(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{})
	ctx := t.Context()
	if _, err := d.Client.SwarmInit(ctx, client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	networks, secrets := map[string]string{}, map[string]string{} // name → id
	for _, s := range subjects(t) {
		if s.name == "volumes-new.yaml" { // it needs a newer daemon, or Windows
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			m := s.load(t)
			converted := stack(t, m, convert.Options{API: d.Client.ClientVersion()})
			ids := create(ctx, t, d.Client, converted, networks, secrets)
			for _, one := range converted.Services {
				if needs := []string{"windows", "registry", "file", "plugged"}; slices.Contains(needs, one.Key) {
					continue // Windows, or a plugin
				}
				if err := one.Bind(ids); err != nil {
					t.Fatal(err)
				}
				made, err := d.Client.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: one.Spec})
				if err != nil {
					t.Errorf("%s: %v", one.Key, err)
					continue
				}
				live, err := d.Client.ServiceInspect(ctx, made.ID, client.ServiceInspectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(toJSON(t, convert.Shown(one.Spec, networks)), toJSON(t, live.Service.Spec)); diff != "" {
					t.Errorf("%s (- sent, + shown):\n%s", one.Key, diff)
				}
				if shown := live.Service.Spec; toJSON(t, convert.Shown(shown, networks)) != toJSON(t, shown) {
					t.Errorf("%s: Shown changes what the daemon shows", one.Key)
				}
				if _, err := d.Client.ServiceRemove(ctx, made.ID, client.ServiceRemoveOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// create makes what the services refer to, external things included.
func create(ctx context.Context, t *testing.T, docker *client.Client, s *convert.Stack, networks, shared map[string]string) convert.IDs {
	t.Helper()
	ids := convert.IDs{Configs: map[string]string{}, Secrets: map[string]string{}}
	network := func(name string, o client.NetworkCreateOptions) {
		if networks[name] != "" {
			return
		}
		made, err := docker.NetworkCreate(ctx, name, o)
		if err != nil {
			t.Fatal(err)
		}
		networks[name] = made.ID
	}
	for _, n := range s.Networks {
		network(n.Name, client.NetworkCreateOptions{Driver: n.Driver, IPAM: n.IPAM, Internal: n.Internal, Attachable: n.Attachable, Options: n.Options, Labels: n.Labels})
	}
	for _, name := range s.External.Networks {
		network(name, client.NetworkCreateOptions{Driver: "overlay"})
	}
	for _, name := range s.External.Configs {
		s.Configs = append(s.Configs, swarm.ConfigSpec{Annotations: swarm.Annotations{Name: name}, Data: []byte("x")})
	}
	for _, c := range s.Configs {
		made, err := docker.ConfigCreate(ctx, client.ConfigCreateOptions{Spec: c})
		if err != nil {
			t.Fatal(err)
		}
		ids.Configs[c.Name] = made.ID
	}
	for _, name := range s.External.Secrets {
		s.Secrets = append(s.Secrets, convert.Secret{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: name}}, Value: secret.New("x")})
	}
	for _, one := range s.Secrets {
		if one.Spec.Driver != nil {
			continue
		}
		one.Spec.Data = []byte(one.Value.Reveal())
		if shared[one.Spec.Name] != "" {
			ids.Secrets[one.Spec.Name] = shared[one.Spec.Name]
			continue
		}
		made, err := docker.SecretCreate(ctx, client.SecretCreateOptions{Spec: one.Spec})
		if err != nil {
			t.Fatal(err)
		}
		ids.Secrets[one.Spec.Name], shared[one.Spec.Name] = made.ID, made.ID
	}
	return ids
}
