package diff

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/secret"
)

var update = flag.Bool("update", false, "write the golden files anew")

const canary = "c4n4ry-v4lue"

// everything is a deploy that does one of each: create, update, replace, remove, keep, leave.
func everything(t *testing.T) *Plan {
	t.Helper()
	spec := func(s *swarm.ServiceSpec) {
		c := s.TaskTemplate.ContainerSpec
		c.Args = []string{"serve", "--greeting", "hello world"}
		c.Env = []string{"A=1", "B=2", "DATABASE_URL=postgres://app:" + canary + "@db/app", "DB_PASSWORD=" + canary + "-1", "EMPTY=", "GONE=x", "UNSET"}
		c.Configs = []*swarm.ConfigReference{{ConfigName: "app_1", File: &swarm.ConfigReferenceFileTarget{Name: "/etc/app.conf", UID: "0", GID: "0", Mode: 0o444}}}
		c.Secrets = []*swarm.SecretReference{{SecretName: "key_1", File: &swarm.SecretReferenceFileTarget{Name: "key", UID: "0", GID: "0", Mode: 0o400}}}
		c.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "true"}, Interval: 30 * time.Second}
		c.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: "data", Target: "/data"}}
		c.StopGracePeriod = new(10 * time.Second)
		s.TaskTemplate.Resources = &swarm.ResourceRequirements{Limits: &swarm.Limit{NanoCPUs: 5e8, MemoryBytes: 64 << 20}}
		s.EndpointSpec = &swarm.EndpointSpec{Ports: []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress"}, {Protocol: "tcp", TargetPort: 80, PublishedPort: 8081, PublishMode: "ingress"}}}
	}
	changed := func(s *swarm.ServiceSpec) {
		spec(s)
		c := s.TaskTemplate.ContainerSpec
		c.Image = "shop/web:2@sha256:2222"
		c.Args = []string{"serve", "--greeting", "hello", "world"}
		c.Env = []string{"A=1", "B=3\x1b[31m", "DATABASE_URL=postgres://app:" + canary + "2@db/app", "DB_PASSWORD=" + canary + "-2", "NEW="}
		c.Configs[0].ConfigName, c.Secrets[0].SecretName = "app_2", "key_2"
		c.Healthcheck.Interval = time.Minute
		c.Mounts[0].Source = "more"
		c.StopGracePeriod = new(90 * time.Second)
		s.TaskTemplate.Resources.Limits.NanoCPUs, s.TaskTemplate.Resources.Limits.MemoryBytes = 15e8, 100<<20
		s.EndpointSpec.Ports[1].PublishedPort = 9090
		s.Labels["tier"] = "front"
		on("proxy", "web")(s)
	}
	w := want(
		service("calm"), service("fresh"), service("jobby", mode(jobs)), service("label", func(s *swarm.ServiceSpec) { s.Labels["tier"] = "back" }), service("web", changed),
	)
	w.Configs = []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "app_2", Labels: labels(stackName)}, Data: []byte("x")}}
	w.Secrets = []convert.Secret{{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "key_2", Labels: labels(stackName)}}, Value: secret.New(canary)}}
	w.Networks[0].IPAM, w.Networks[0].Attachable = &network.IPAM{Driver: "default"}, true
	w.External.Networks = []string{"proxy"}
	w.Notes = []string{"compose.yaml:3: services.web.x is left out"}
	state := holds(running(service("byhand")), running(service("calm")), running(service("jobby")), running(service("label")), running(service("old")), running(service("web", spec)))
	state.Networks = append(state.Networks, overlay("proxy", "shop_prod"), overlay("old", stackName))
	p, err := Compute(w, state, Options{AllowReplace: true, Owned: Owned{Services: []string{"shop_dev_old"}, Networks: []string{"old"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPlanIsPrinted(t *testing.T) {
	p := everything(t)
	var text, asJSON bytes.Buffer
	p.Print(&text)
	e := json.NewEncoder(&asJSON)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string]string{"plan.txt": text.String(), "plan.json": asJSON.String()} {
		if strings.Contains(got, canary) {
			t.Errorf("%s shows a secret:\n%s", file, got)
		}
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (- golden, + now):\n%s", file, d)
		}
	}
}

func TestNothingToChange(t *testing.T) {
	p, err := Compute(want(service("web")), holds(running(service("web"))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p.Print(&out)
	if out.String() != "shop_dev: nothing to change\n" {
		t.Errorf("%q", out.String())
	}
}

// A difference that decides always shows, however small it is to read.
func TestEachDifferenceShows(t *testing.T) {
	for _, c := range []struct {
		name       string
		have, want func(*swarm.ServiceSpec)
		shows      string
	}{
		{"an empty variable is new", env(), env("A="), "+ environment.A: (empty)"},
		{"a variable becomes empty", env("A=1"), env("A="), "environment.A: 1 → (empty)"},
		{"a variable is taken over from the image", env("A=1"), env("A"), "environment.A: 1 → (unset)"},
		{"a secret comes", env(), env("API_TOKEN=" + canary), "+ environment.API_TOKEN: ***"},
		{"a file of a secret is none", env("DB_PASSWORD_FILE=/a"), env("DB_PASSWORD_FILE=/b"), "environment.DB_PASSWORD_FILE: /a → /b"},
		{"one argument becomes two", args("a b"), args("a", "b"), `command: "a b" → a b`},
		{"an empty argument", args("a"), args("a", ""), `command: a → a ""`},
		{"an empty label", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { s.Labels["x"] = "" }, "+ labels.x: (empty)"},
		{"a login in an argument", args("--db=http://a:" + canary + "1@x"), args("--db=http://a:" + canary + "2@x"), "command: --db=http://a:***@x → --db=http://a:***@x"},
		{"init is off, not unset", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Init = new(false) }, "+ init: false"},
	} {
		p, err := Compute(want(service("web", c.want)), holds(running(service("web", c.have))), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, op := range p.Operations {
			for _, f := range op.Fields {
				got = append(got, f.String())
			}
		}
		if strings.Join(got, "; ") != c.shows {
			t.Errorf("%s: %q, want %q", c.name, got, c.shows)
		}
	}
}

func args(a ...string) func(*swarm.ServiceSpec) {
	return func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Args = a }
}

func TestMoved(t *testing.T) {
	saved := everything(t)
	state := holds(running(service("web")))
	state.Networks = append(state.Networks, overlay("proxy", "shop_prod"))
	got := strings.Join(saved.Moved(state), "\n")
	for _, part := range []string{"service/shop_dev_calm was there, and is gone", "service/shop_dev_web was changed (it was id-web@"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in\n%s", part, got)
		}
	}
	for _, part := range []string{"network/proxy", "fresh", "app_2"} {
		if strings.Contains(got, part) {
			t.Errorf("%q is as it was, and is in\n%s", part, got)
		}
	}
	p, err := Compute(want(service("web")), holds(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Moved(holds(running(service("web")))); len(got) != 1 || got[0] != "service/shop_dev_web was not there, and is now" {
		t.Errorf("%q", got)
	}
	// Swarm's own writes (how an update goes) move a service's version and not its spec.
	p, err = Compute(want(service("web", image("new"))), holds(running(service("web"))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := running(service("web"))
	now.Version.Index, now.UpdateStatus = 99, &swarm.UpdateStatus{State: swarm.UpdateStateCompleted}
	if got := p.Moved(holds(now)); got != nil {
		t.Errorf("%q", got)
	}
	if got := p.Moved(&live.State{Services: []swarm.Service{now}}); len(got) != 1 || got[0] != "network/shop_dev_default was there, and is gone" {
		t.Errorf("%q", got)
	}
}
