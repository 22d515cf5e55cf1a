package diff

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
)

var (
	global = swarm.ServiceMode{Global: &swarm.GlobalService{}}
	jobs   = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}}
	idle   = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(0))}}
)

// outcome is a plan in a line: what is not left as it is.
func outcome(p *Plan) string {
	var out []string
	for _, op := range p.Operations {
		if op.Action == Leave {
			continue
		}
		restarts := ""
		if op.Restarts {
			restarts = "!"
		}
		out = append(out, string(op.Action)+restarts+" "+string(op.Kind)+" "+op.Name)
	}
	return strings.Join(out, ", ")
}

func TestWhatIsDone(t *testing.T) {
	web := service("web")
	credentials := func(config string) func(*swarm.ServiceSpec) {
		return func(s *swarm.ServiceSpec) {
			c := s.TaskTemplate.ContainerSpec
			c.Privileges = &swarm.Privileges{CredentialSpec: &swarm.CredentialSpec{Config: config}}
			c.Configs = []*swarm.ConfigReference{{ConfigName: "spec", Runtime: &swarm.ConfigReferenceRuntimeTarget{}}}
		}
	}
	for _, c := range []struct {
		name string
		want *convert.Stack
		live *live.State
		o    Options
		does string
	}{
		{"an empty Swarm", want(web), &live.State{}, Options{}, "create network shop_dev_default, create service shop_dev_web"},
		{"all as wanted", want(web), holds(running(web)), Options{}, ""},
		{"an update forced by hand stays", want(web), holds(running(service("web", func(s *swarm.ServiceSpec) { s.TaskTemplate.ForceUpdate = 3 }))), Options{}, ""},
		{"another image", want(web), holds(running(service("web", image("old")))), Options{}, "update! service shop_dev_web"},
		{"a label alone", want(service("web", func(s *swarm.ServiceSpec) { s.Labels["a"] = "b" })), holds(running(web)), Options{}, "update service shop_dev_web"},
		{"more replicas", want(service("web", mode(swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(3))}}))), holds(running(web)), Options{}, "update service shop_dev_web"},
		{"the way of updating", want(service("web", func(s *swarm.ServiceSpec) { s.UpdateConfig = &swarm.UpdateConfig{Parallelism: 2} })), holds(running(web)), Options{}, "update service shop_dev_web"},
		{"a constraint moves only what no longer fits", want(service("web", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.role==worker"}}
		})), holds(running(web)), Options{}, "update service shop_dev_web"},
		{"a port", want(service("web", func(s *swarm.ServiceSpec) { s.EndpointSpec = &swarm.EndpointSpec{Mode: "dnsrr"} })), holds(running(web)), Options{}, "update! service shop_dev_web"},
		{"a job runs again whatever changes", want(service("web", mode(jobs), func(s *swarm.ServiceSpec) { s.Labels["a"] = "b" })), holds(running(service("web", mode(jobs)))), Options{}, "update! service shop_dev_web"},
		{"another mode, as allowed", want(service("web", mode(global))), holds(running(web)), Options{AllowReplace: true}, "replace service shop_dev_web"},
		{"a credential spec of a config, by its id", want(service("web", credentials("spec"))), holds(running(service("web", credentials("config-spec")))), Options{}, ""},
		{"one that the manifest no longer has", want(), holds(running(web)), Options{Owned: Owned{Services: []string{"shop_dev_web"}}}, "remove service shop_dev_web"},
		{"one that bears the label and no release recorded", want(), holds(running(web)), Options{}, "keep service shop_dev_web"},
		{"one that is recorded and bears another stack's label", want(), holds(running(service("web", of("other", "shop_dev_web")))), Options{Owned: Owned{Services: []string{"shop_dev_web"}}}, ""},
		{"a network that is no longer wanted", want(), &live.State{Networks: []network.Summary{overlay("shop_dev_default", stackName), overlay("old", stackName)}}, Options{Owned: Owned{Networks: []string{"old"}}}, "remove network old"},
		{"a network that another stack uses", want(), &live.State{
			Networks: []network.Summary{overlay("shop_dev_default", stackName), overlay("proxy", stackName)},
			Services: []swarm.Service{running(service("x", of("other", "other_x"), on("proxy", "x")))},
		}, Options{Owned: Owned{Networks: []string{"proxy"}}}, "keep network proxy"},
		{"a network and the last service on it", want(), &live.State{
			Networks: []network.Summary{overlay("shop_dev_default", stackName), overlay("proxy", stackName)},
			Services: []swarm.Service{running(service("web", on("proxy", "x")))},
		}, Options{Owned: Owned{Networks: []string{"proxy"}, Services: []string{"shop_dev_web"}}}, "remove network proxy, remove service shop_dev_web"},
		{"a network that was the stack's own and is external now", &convert.Stack{Name: stackName, External: convert.External{Networks: []string{"proxy"}}}, &live.State{Networks: []network.Summary{overlay("proxy", stackName)}}, Options{Owned: Owned{Networks: []string{"proxy"}}}, ""},
		{"networks that every node has", &convert.Stack{Name: stackName, External: convert.External{Networks: []string{"bridge", "host", "none"}}}, &live.State{}, Options{}, ""},
		{"a release's config, whose content no record has", &convert.Stack{Name: stackName, Configs: []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "c", Labels: labels(stackName)}}}},
			&live.State{Configs: []swarm.Config{{ID: "c1", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "c", Labels: labels(stackName)}, Data: []byte("x")}}}}, Options{}, ""},
	} {
		p, err := Compute(c.want, c.live, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := outcome(p); got != c.does {
			t.Errorf("%s: %q, want %q", c.name, got, c.does)
		}
		if p.Changes() != (c.does != "" && !strings.HasPrefix(c.does, "keep")) {
			t.Errorf("%s: Changes is %t", c.name, p.Changes())
		}
	}
}
