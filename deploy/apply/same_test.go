package apply

import (
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/secret"
)

func full() *convert.Stack {
	s := want("web:1")
	s.Configs = []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "c_1"}, Data: []byte("content")}}
	s.Secrets = []convert.Secret{{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "s_1"}}, Value: secret.New("value")}}
	s.Services[0].Spec.TaskTemplate.ContainerSpec.Configs = []*swarm.ConfigReference{{ConfigName: "c_1"}}
	s.Services[0].Spec.TaskTemplate.ContainerSpec.Secrets = []*swarm.SecretReference{{SecretName: "s_1"}}
	return s
}

func TestSameStack(t *testing.T) {
	container := func(s *convert.Stack) *swarm.ContainerSpec { return s.Services[0].Spec.TaskTemplate.ContainerSpec }
	for _, c := range []struct {
		name   string
		change func(*convert.Stack)
		same   bool
	}{
		{"the same", func(*convert.Stack) {}, true},
		{"as a record has it", func(s *convert.Stack) { s.Configs[0].Data, s.Secrets[0].Value = nil, secret.Value{} }, true},
		{"with ids", func(s *convert.Stack) { container(s).Configs[0].ConfigID, container(s).Secrets[0].SecretID = "a", "b" }, true},
		{"notes are for people", func(s *convert.Stack) { s.Notes = []string{"x"} }, true},
		{"another image", func(s *convert.Stack) { container(s).Image = "web:2" }, false},
		{"another config", func(s *convert.Stack) { s.Configs[0].Name = "c_2" }, false},
		{"another secret", func(s *convert.Stack) { container(s).Secrets[0].SecretName = "s_2" }, false},
		{"another order of start", func(s *convert.Stack) { s.Services[0].DependsOn = []string{"db"} }, false},
		{"one service more", func(s *convert.Stack) { s.Services = append(s.Services, service("db")) }, false},
		{"what is external", func(s *convert.Stack) { s.External.Networks = []string{"proxy"} }, false},
	} {
		a, b := full(), full()
		c.change(b)
		if got := sameStack(a, b); got != c.same {
			t.Errorf("%s: %t", c.name, got)
		}
		if b.Services[0].Spec.TaskTemplate.ContainerSpec.Configs[0].ConfigID == "" && c.name == "with ids" {
			t.Error("comparing took ids away")
		}
	}
	if sameStack(nil, full()) || !sameStack(nil, nil) {
		t.Error("no stack is the same as none, and as no other")
	}
}

// A plan that was saved is refused where anything that it saw, or did not see, is another now.
func TestASavedPlanIsRefusedWhereTheSwarmHasMoved(t *testing.T) {
	state := world("web", "api")
	saved, err := diff.Compute(want("web:2"), state, diff.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		state []string
		moved string
	}{
		{"as it was", []string{"web", "api"}, ""},
		{"one has gone", []string{"api"}, "service/shop_dev_web was there, and is gone"},
		{"one that nobody wants has gone", []string{"web"}, "service/shop_dev_api was there, and is gone"},
		{"another deploy has added one, which this would remove", []string{"web", "api", "new"}, "service/shop_dev_new was not there, and is now"},
	} {
		now := world(c.state...)
		plan, err := diff.Compute(want("web:2"), now, diff.Options{Owned: diff.Owned{Services: []string{"shop_dev_new"}}})
		if err != nil {
			t.Fatal(err)
		}
		err = Request{Seen: saved.Seen}.unmoved(now, plan)
		if c.moved == "" && err != nil || c.moved != "" && (err == nil || err.Error() != "the Swarm is no longer as the plan saw it\n  "+c.moved+"\nNothing more was written: make a new plan.") {
			t.Errorf("%s: %v, want %q", c.name, err, c.moved)
		}
		if err := (Request{}).unmoved(now, plan); err != nil {
			t.Errorf("%s, without a saved plan: %v", c.name, err)
		}
	}
}
