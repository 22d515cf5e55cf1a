package addresses

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
)

func TestOf(t *testing.T) {
	service := func(id, stack string, ports ...swarm.PortConfig) swarm.Service {
		s := swarm.Service{ID: id, Endpoint: swarm.Endpoint{Ports: ports}}
		s.Spec.Name, s.Spec.Labels = stack+"_"+id, map[string]string{convert.LabelNamespace: stack}
		return s
	}
	host := func(port uint32) swarm.PortConfig {
		return swarm.PortConfig{Protocol: "tcp", TargetPort: 80, PublishedPort: port, PublishMode: swarm.PortConfigPublishModeHost}
	}
	task := func(service, node string, state swarm.TaskState, port uint32) swarm.Task {
		t := swarm.Task{ServiceID: service, NodeID: node, Status: swarm.TaskStatus{State: state}}
		t.Status.PortStatus.Ports = []swarm.PortConfig{host(port)}
		return t
	}
	state := &live.State{
		Services: []swarm.Service{
			service("web", "shop_dev", swarm.PortConfig{Protocol: "tcp", TargetPort: 8443, PublishedPort: 30001, PublishMode: swarm.PortConfigPublishModeIngress}),
			service("edge", "shop_dev", host(0)), service("db", "shop_dev"), service("web", "shop_prod", host(80)),
		},
		Tasks: []swarm.Task{
			task("edge", "n1", swarm.TaskStateRunning, 49153), task("edge", "n2", swarm.TaskStateRunning, 49200), task("edge", "n1", swarm.TaskStateShutdown, 49111),
		},
		Nodes: []swarm.Node{{ID: "n1"}, {ID: "n2"}},
	}
	state.Nodes[0].Description.Hostname, state.Nodes[1].Description.Hostname = "one", "two"
	var got []string
	for _, a := range Of(state, "shop_dev") {
		got = append(got, a.String())
	}
	want := "edge 80/tcp: port 49153 on one\nedge 80/tcp: port 49200 on two\nweb 8443/tcp: port 30001 on every node"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got:\n%s\nwant:\n%s", s, want)
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		a    Address
		want string
	}{
		{Address{Target: 8080, Protocol: "tcp", Port: 8083}, "http://localhost:8083"},
		{Address{Target: 443, Protocol: "tcp", Port: 443}, "https://localhost"},
		{Address{Target: 443, Protocol: "udp", Port: 443}, "localhost:443"},
		{Address{Target: 5432, Protocol: "tcp", Port: 5432}, "localhost:5432"},
	} {
		if got := c.a.URL("localhost"); got != c.want {
			t.Errorf("%+v: %s, want %s", c.a, got, c.want)
		}
	}
}
