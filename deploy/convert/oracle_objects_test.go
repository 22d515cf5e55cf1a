package convert_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	dockerconvert "github.com/docker/cli/cli/compose/convert"
	dockertypes "github.com/docker/cli/cli/compose/types"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
)

// The networks, configs and secrets are docker's too. Of docker's deviations only the
// versions in names apply; `docker stack deploy` makes an empty driver "overlay" after it has
// converted.
func TestObjectsAreDockersOwn(t *testing.T) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			m := s.load(t)
			ours, err := convert.Convert(m, convert.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, config := s.theirs(t)
			equal := func(what string, theirs, ours any) {
				t.Helper()
				if diff := gocmp.Diff(toJSON(t, theirs), toJSON(t, ours)); diff != "" {
					t.Errorf("%s (- docker, + ours):\n%s", what, diff)
				}
			}
			namespace := dockerconvert.NewNamespace(m.Stack)

			networks, external := dockerconvert.Networks(namespace, config.Networks, usedNetworks(config))
			for name, n := range networks {
				n.Driver = cmp.Or(n.Driver, "overlay")
				networks[name] = n
			}
			own := map[string]client.NetworkCreateOptions{}
			for _, n := range ours.Networks {
				own[n.Name] = client.NetworkCreateOptions{
					Driver: n.Driver, IPAM: n.IPAM, Internal: n.Internal, Attachable: n.Attachable, Options: n.Options, Labels: n.Labels,
					EnableIPv4: n.EnableIPv4, EnableIPv6: n.EnableIPv6,
				}
			}
			equal("networks", networks, own)
			slices.Sort(external)
			equal("external networks", strings.Join(external, " "), strings.Join(ours.External.Networks, " "))

			configs, err := dockerconvert.Configs(namespace, config.Configs)
			if err != nil {
				t.Fatal(err)
			}
			for i := range configs {
				configs[i].Name = cmp.Or(versioned(m.Configs, configs[i].Name), configs[i].Name)
			}
			slices.SortFunc(configs, func(a, b swarm.ConfigSpec) int { return strings.Compare(a.Name, b.Name) })
			equal("configs", append([]swarm.ConfigSpec{}, configs...), append([]swarm.ConfigSpec{}, ours.Configs...))

			secrets, err := dockerconvert.Secrets(namespace, config.Secrets)
			if err != nil {
				t.Fatal(err)
			}
			for i := range secrets {
				secrets[i].Name = cmp.Or(versioned(m.Secrets, secrets[i].Name), secrets[i].Name)
			}
			slices.SortFunc(secrets, func(a, b swarm.SecretSpec) int { return strings.Compare(a.Name, b.Name) })
			full := []swarm.SecretSpec{}
			for _, one := range ours.Secrets {
				one.Spec.Data = []byte(one.Value.Reveal())
				full = append(full, one.Spec)
			}
			equal("secrets", secrets, full)
		})
	}
}

// usedNetworks is what `docker stack deploy` creates networks for.
func usedNetworks(config *dockertypes.Config) map[string]struct{} {
	used := map[string]struct{}{}
	for _, s := range config.Services {
		if len(s.Networks) == 0 {
			used["default"] = struct{}{}
		}
		for name := range s.Networks {
			used[name] = struct{}{}
		}
	}
	return used
}
