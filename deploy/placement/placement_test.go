package placement

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
)

func hosts(nodes []swarm.Node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.Description.Hostname)
	}
	return strings.Join(out, " ")
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		name   string
		p      *swarm.Placement
		change func([]swarm.Node)
		want   string
	}{
		{"no placement", nil, nil, "alpha beta gamma"},
		{"a constraint", &swarm.Placement{Constraints: []string{"node.labels.disk==ssd"}}, nil, "alpha"},
		{"all of several", &swarm.Placement{Constraints: []string{"node.role==worker", "node.labels.disk!=hdd"}}, nil, "gamma"},
		{"what is no constraint fits nowhere", &swarm.Placement{Constraints: []string{"node.role"}}, nil, ""},
		{"drained", nil, func(n []swarm.Node) { n[0].Spec.Availability = swarm.NodeAvailabilityDrain }, "beta gamma"},
		{"paused", nil, func(n []swarm.Node) { n[1].Spec.Availability = swarm.NodeAvailabilityPause }, "alpha gamma"},
		{"down", nil, func(n []swarm.Node) { n[2].Status.State = swarm.NodeStateDown }, "alpha beta"},
		{"a platform by the image's name", &swarm.Placement{Platforms: []swarm.Platform{{OS: "linux", Architecture: "amd64"}}}, nil, "alpha gamma"},
		{"a platform by uname's", &swarm.Placement{Platforms: []swarm.Platform{{OS: "linux", Architecture: "aarch64"}}}, nil, "beta"},
		{"one of several platforms", &swarm.Placement{Platforms: []swarm.Platform{{OS: "windows"}, {OS: "linux", Architecture: "arm64"}}}, nil, "beta"},
		{"any architecture", &swarm.Placement{Platforms: []swarm.Platform{{OS: "linux"}}}, nil, "alpha beta gamma"},
		{"another system", &swarm.Placement{Platforms: []swarm.Platform{{OS: "windows"}}}, nil, ""},
	} {
		all, _ := nodes()
		all = all[:3]
		for i := range all {
			all[i].Status.State, all[i].Spec.Availability = swarm.NodeStateReady, swarm.NodeAvailabilityActive
		}
		if c.change != nil {
			c.change(all)
		}
		if got := hosts(Fits(c.p, all)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	n := swarm.Node{Status: swarm.NodeStatus{State: swarm.NodeStateDown}, Spec: swarm.NodeSpec{Role: swarm.NodeRoleWorker, Availability: swarm.NodeAvailabilityActive}}
	n.Description.Hostname, n.Spec.Labels = "alpha", map[string]string{"zone": "a", "disk": "ssd"}
	want := "node.labels.disk==hdd and node.role==worker: alpha is down, active, a worker disk=ssd zone=a"
	if got := Describe(&swarm.Placement{Constraints: []string{"node.labels.disk==hdd", "node.role==worker"}}, []swarm.Node{n}); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := Describe(nil, nil); got != "no constraint: " {
		t.Errorf("%q", got)
	}
}
