package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/deploy/watch"
	"slipway/test/dockerd"
)

func TestDrift(t *testing.T) {
	w := want("web:1", service("api"))
	w.Configs = []swarm.ConfigSpec{{Annotations: swarm.Annotations{Name: "c_1", Labels: labels()}}}
	e := &release.Entry{Record: release.Record{Stack: stackName, Want: w}}
	state := world("web", "extra")
	state.Services[0].Spec.TaskTemplate.ContainerSpec.Image = "web:byhand"
	got := Drift(state, e)
	if s := strings.Join(got, "\n"); s != strings.Join([]string{
		"config c_1 is missing",
		`service shop_dev_web: image: released "web:1", live "web:byhand"`,
		"service shop_dev_api is missing",
		"service shop_dev_extra is there, and is not of the release",
	}, "\n") {
		t.Errorf("%s", s)
	}
	state = world("web", "api")
	state.Configs = []swarm.Config{{ID: "c", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "c_1", Labels: labels()}, Data: []byte("x")}}}
	if got := Drift(state, e); len(got) != 0 {
		t.Errorf("all is as released, and yet %q", got)
	}
	w.External.Secrets = []string{"gone"}
	if got := Drift(state, e); len(got) != 1 || !strings.Contains(got[0], "secret gone") {
		t.Errorf("%q", got)
	}
}

// A label alone may be somebody else's: only what a release recorded is removed.
func TestRemovable(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{})
	d.Init(t)
	releases(t, d, stackName, recorded{good, "web:1"}, recorded{bad, "web:2"})
	releases(t, d, "shop_prod", recorded{good, "web:1"})
	state := world("web", "byhand")
	state.Services = append(state.Services, swarm.Service{ID: "x", Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "shop_prod_web", Labels: map[string]string{convert.LabelNamespace: "shop_prod"}}}})
	state.Networks = []network.Summary{{Network: network.Network{ID: "n", Name: "shop_dev_net", Labels: labels()}}}
	state.Configs = configs(t, d)
	state.Configs = append(state.Configs, swarm.Config{ID: "c", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "shop_dev_c", Labels: labels()}}})
	if got := strings.Join(Removable(state, stackName), ", "); got != "service shop_dev_web, record of release 2, record of release 1" {
		t.Errorf("%s", got)
	}
	strange := findRemovable(state, stackName).strange
	slices.Sort(strange)
	if got := strings.Join(strange, ", "); got != "config shop_dev_c, network shop_dev_net, service shop_dev_byhand" {
		t.Errorf("%s", got)
	}
	if got := Removable(&live.State{}, stackName); got != nil {
		t.Errorf("%q", got)
	}
}

func TestExitCodes(t *testing.T) {
	for result, exit := range map[Result]int{Done: 0, Unchanged: 0, RolledBack: 3, TimedOut: 4, Failed: 7, Interrupted: 1} {
		if v := (&Verdict{Result: result}).conclude(); v.Exit != exit {
			t.Errorf("%s: exit code %d, want %d", result, v.Exit, exit)
		}
	}
}

func TestTheFirstThatIsBad(t *testing.T) {
	all := []watch.Outcome{{Key: "a", State: watch.Done}, {Key: "b", State: watch.Waiting}, {Key: "c", State: watch.RolledBack, Reason: &watch.Reason{Message: "because"}}, {Key: "d", State: watch.Gone}}
	if bad := firstBad(all); bad == nil || bad.Key != "c" || why(*bad) != "rolled back: because" {
		t.Errorf("%+v", bad)
	}
	if firstBad(all[:2]) != nil || why(all[3]) != "gone" {
		t.Error("what waits is not bad, and what has no reason has its state")
	}
}
