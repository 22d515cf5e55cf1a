package diff

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/secret"
)

func TestWhatIsRefused(t *testing.T) {
	config := func(stack, data string) *live.State {
		return &live.State{Configs: []swarm.Config{{ID: "c1", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "c", Labels: labels(stack)}, Data: []byte(data)}}}}
	}
	wantConfig := &convert.Stack{Name: stackName, Configs: []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "c", Labels: labels(stackName)}, Data: []byte("new")}}}
	proxied := func(services ...swarm.Service) *live.State {
		s := holds(services...)
		s.Networks = append(s.Networks, overlay("proxy", ""))
		return s
	}
	for _, c := range []struct {
		name  string
		want  *convert.Stack
		live  *live.State
		parts []string
	}{
		{"all that is missing comes at once", &convert.Stack{Name: stackName, External: convert.External{Networks: []string{"n1", "n2"}, Configs: []string{"c1"}, Secrets: []string{"s1"}}}, &live.State{},
			[]string{"secret s1, config c1, network n1, network n2", "secret:set"}},
		{"another mode", want(service("web", mode(global))), holds(running(service("web"))), []string{"from replicated to global", "-allowReplace=true"}},
		{"a job of what was none", want(service("web", mode(jobs))), holds(running(service("web"))), []string{"from replicated to replicated-job"}},
		{"a config with another content", wantConfig, config(stackName, "old"), []string{"with another content"}},
		{"another stack's config", wantConfig, config("other", "new"), []string{"belongs to the stack other"}},
		{"nobody's config", wantConfig, config("", "new"), []string{"belongs to no stack"}},
		{"another stack's service", want(service("web")), holds(running(service("web", of("other", "shop_dev_web")))), []string{"there is a service shop_dev_web already", "the stack other"}},
		{"a network that both stacks would make", &convert.Stack{Name: stackName, Networks: []network.CreateRequest{{Name: "proxy", Labels: labels(stackName)}}}, &live.State{Networks: []network.Summary{overlay("proxy", "other")}}, []string{"there is a network proxy already", "the stack other"}},
		{"another stack's secret", &convert.Stack{Name: stackName, Secrets: []convert.Secret{{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "s"}}, Value: secret.New("c4n4ry")}}},
			&live.State{Secrets: []swarm.Secret{{ID: "s1", Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "s", Labels: labels("other")}}}}}, []string{"there is a secret s already"}},
		{"an alias that another stack answers to", want(service("backend", on("proxy", "backend"))), proxied(running(service("x", of("shop_prod", "shop_prod_backend"), on("proxy", "backend")))),
			[]string{`service backend would answer to "backend" on the network proxy, as does shop_prod_backend`}},
		{"an alias that is another's full name", want(service("backend", on("proxy", "shop_prod_x"))), proxied(running(service("x", of("shop_prod", "shop_prod_x"), on("proxy", "x")))), []string{`"shop_prod_x"`}},
		{"an alias of a service of no stack", want(service("backend", on("proxy", "backend"))), proxied(running(service("x", of("", "byhand"), on("proxy", "backend")))), []string{"as does byhand"}},
		{"an alias on the stack's own network that another has joined", want(service("backend")), holds(running(service("x", of("shop_prod", "shop_prod_backend"), on("shop_dev_default", "backend")))), []string{"shop_dev_default"}},
	} {
		p, err := Compute(c.want, c.live, Options{})
		if err == nil {
			t.Errorf("%s: not refused: %s", c.name, outcome(p))
			continue
		}
		for _, part := range c.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
	}
}

func TestAliasesThatHarmNobody(t *testing.T) {
	proxy := overlay("proxy", "")
	for _, c := range []struct {
		name    string
		mine    convert.Service
		other   swarm.Service
		warning string
	}{
		{"another alias", service("backend", on("proxy", "backend")), running(service("x", of("shop_prod", "shop_prod_web"), on("proxy", "web"))), ""},
		{"another network", service("backend", on("proxy", "backend")), running(service("x", of("shop_prod", "shop_prod_backend"), on("elsewhere", "backend"))), ""},
		{"one of them has no tasks", service("backend", on("proxy", "backend")), running(service("x", of("shop_prod", "shop_prod_backend"), on("proxy", "backend"), mode(idle))), "with no replicas"},
	} {
		state := holds(c.other)
		state.Networks = append(state.Networks, proxy)
		state.Services[0].Spec.TaskTemplate.Networks = state.Services[0].Spec.TaskTemplate.Networks[1:] // not the default one
		p, err := Compute(want(c.mine), state, Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(p.Warnings, "\n"); !strings.Contains(got, c.warning) || (c.warning == "") != (got == "") {
			t.Errorf("%s: warned of %q", c.name, got)
		}
	}
}
