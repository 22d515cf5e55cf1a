package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
)

// releaseOf is the record of a release of "shop_dev" that made these configs and secrets.
func releaseOf(t *testing.T, number int, state release.State, configs, secrets string) swarm.Config {
	t.Helper()
	want := &convert.Stack{Name: "shop_dev"}
	for _, n := range strings.Fields(configs) {
		want.Configs = append(want.Configs, swarm.ConfigSpec{Annotations: swarm.Annotations{Name: n}})
	}
	for _, n := range strings.Fields(secrets) {
		want.Secrets = append(want.Secrets, convert.Secret{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	if err := json.NewEncoder(z).Encode(map[string]any{"format": 1, "record": release.Record{Number: number, Stack: "shop_dev", Want: want}}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return swarm.Config{ID: fmt.Sprint("record", number), Spec: swarm.ConfigSpec{Data: data.Bytes(), Annotations: swarm.Annotations{
		Name: fmt.Sprint("slipway-release_shop_dev_", number), Labels: map[string]string{"slipway.stack": "shop_dev", "slipway.release": fmt.Sprint(number), "slipway.state": string(state)},
	}}}
}

// uses is a service of a stack that refers to a config and a secret by their ids.
func uses(config, secret string) swarm.ServiceSpec {
	c := &swarm.ContainerSpec{}
	if config != "" {
		c.Configs = []*swarm.ConfigReference{{ConfigID: config}}
	}
	if secret != "" {
		c.Secrets = []*swarm.SecretReference{{SecretID: secret}}
	}
	return swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{ContainerSpec: c}}
}

func TestFind(t *testing.T) {
	own := map[string]string{convert.LabelNamespace: "shop_dev"}
	windows := uses("", "")
	windows.TaskTemplate.ContainerSpec.Privileges = &swarm.Privileges{CredentialSpec: &swarm.CredentialSpec{Config: "c1"}}
	for _, c := range []struct {
		name     string
		records  []swarm.Config
		services []swarm.Service
		keep     int
		found    string
	}{
		{"all is of a kept release", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Done, "c2", "s2")}, nil, 2, ""},
		{"an older release's", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Done, "c2", "s2")}, nil, 1, "config c1, secret s1, record 1"},
		{"what a kept release has too", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Done, "c1 c2", "")}, nil, 1, "secret s1, record 1"},
		{"what a service of any stack uses, and the record that tells whose it is", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Done, "c2", "s2")}, []swarm.Service{{Spec: uses("c1", "")}}, 1, "secret s1"},
		{"what a service would go back to", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Done, "c2", "s2")}, []swarm.Service{{PreviousSpec: new(uses("", "s1"))}}, 1, "config c1"},
		{"a credential spec", []swarm.Config{releaseOf(t, 1, release.Done, "c1", ""), releaseOf(t, 2, release.Done, "c2", "")}, []swarm.Service{{Spec: windows}}, 1, ""},
		{"what bears the label and no release recorded", []swarm.Config{releaseOf(t, 1, release.Done, "", "")}, nil, 1, ""},
		{"a failed release's, beside the good one's", []swarm.Config{releaseOf(t, 1, release.Done, "c1", "s1"), releaseOf(t, 2, release.Failed, "c2", "s2"), releaseOf(t, 3, release.Done, "c1", "s1")}, nil, 1, "config c2, secret s2, record 2, record 1"},
		{"no record at all", nil, nil, 1, ""},
	} {
		state := &live.State{Services: c.services, Configs: c.records}
		for _, n := range []string{"1", "2"} {
			state.Configs = append(state.Configs, swarm.Config{ID: "c" + n, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "c" + n, Labels: own}}})
			state.Secrets = append(state.Secrets, swarm.Secret{ID: "s" + n, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "s" + n, Labels: own}}})
		}
		u := Find(state, "shop_dev", c.keep)
		var got []string
		for _, o := range u.Configs {
			got = append(got, "config "+o.Name)
		}
		for _, o := range u.Secrets {
			got = append(got, "secret "+o.Name)
		}
		for _, e := range u.Releases {
			got = append(got, fmt.Sprint("record ", e.Number))
		}
		if s := strings.Join(got, ", "); s != c.found {
			t.Errorf("%s: %q, want %q", c.name, s, c.found)
		}
	}
}
