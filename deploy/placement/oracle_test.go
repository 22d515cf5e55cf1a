package placement

import (
	"fmt"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/swarmkit/v2/api"
	"github.com/moby/swarmkit/v2/manager/constraint"
)

// nodes are a Swarm's, as Docker's API and as swarmkit have them.
func nodes() (out []swarm.Node, theirs []*api.Node) {
	for i, n := range []struct {
		host, ip, arch string
		role           swarm.NodeRole
		labels, engine map[string]string
	}{
		{"alpha", "10.0.0.1", "x86_64", swarm.NodeRoleManager, map[string]string{"disk": "ssd", "Zone": "A"}, map[string]string{"gpu": "yes"}},
		{"beta", "10.0.1.2", "aarch64", swarm.NodeRoleWorker, map[string]string{"disk": "HDD", "empty": ""}, nil},
		{"gamma", "2001:db8::2", "x86_64", swarm.NodeRoleWorker, nil, nil},
		{"", "", "", swarm.NodeRoleWorker, nil, nil},
	} {
		id := fmt.Sprintf("node%d", i)
		platform := swarm.Platform{OS: "linux", Architecture: n.arch}
		out = append(out, swarm.Node{
			ID: id, Spec: swarm.NodeSpec{Role: n.role, Annotations: swarm.Annotations{Labels: n.labels}}, Status: swarm.NodeStatus{Addr: n.ip},
			Description: swarm.NodeDescription{Hostname: n.host, Platform: platform, Engine: swarm.EngineDescription{Labels: n.engine}},
		})
		role := api.NodeRoleWorker
		if n.role == swarm.NodeRoleManager {
			role = api.NodeRoleManager
		}
		theirs = append(theirs, &api.Node{
			ID: id, Role: role, Spec: api.NodeSpec{Annotations: api.Annotations{Labels: n.labels}}, Status: api.NodeStatus{Addr: n.ip},
			Description: &api.NodeDescription{Hostname: n.host, Platform: &api.Platform{OS: platform.OS, Architecture: platform.Architecture}, Engine: &api.EngineDescription{Labels: n.engine}},
		})
	}
	return out, theirs
}

// Swarm's own code decides of each constraint and node what is right.
func TestConstraintsAreReadAsSwarmReadsThem(t *testing.T) {
	ours, theirs := nodes()
	for _, c := range []string{
		"node.id == node1", "node.id != node1", "node.id==NODE1", "node.hostname == alpha", "node.hostname!=alpha", "NODE.Hostname == ALPHA", "node.hostname == alp",
		"node.role == manager", "node.role != manager", "node.role == WORKER", "node.role == boss",
		"node.ip == 10.0.0.1", "node.ip != 10.0.0.1", "node.ip == 10.0.0.0/24", "node.ip != 10.0.0.0/16", "node.ip == 2001:db8:0::2", "node.ip == 2001:db8::/32", "node.ip == alpha", "node.ip != alpha",
		"node.platform.os == linux", "node.platform.os != Linux", "node.platform.arch == x86_64", "node.platform.arch == amd64", "node.platform.arch != aarch64",
		"node.labels.disk == ssd", "node.labels.disk != ssd", "node.labels.disk == hdd", "Node.Labels.disk == ssd", "node.labels.Disk == ssd", "node.labels.zone == a", "node.labels.Zone == a", "node.labels.none == x", "node.labels.none != x", "node.labels.empty != x",
		"node.labels. == ssd", "node.labels. != ssd", "engine.labels.gpu == yes", "engine.labels.gpu != yes", "engine.labels.GPU == yes", "engine.labels. != x",
		"node.colour == red", "node.colour != red", "disk == ssd", "node.labels.disk == ssd != hdd",
	} {
		parsed, err := constraint.Parse([]string{c})
		for i := range ours {
			want := err == nil && constraint.NodeMatches(parsed, theirs[i])
			if got := Matches(&swarm.Placement{Constraints: []string{c}}, ours[i]); got != want {
				t.Errorf("%q on %s: %t, Swarm says %t (%v)", c, ours[i].Description.Hostname, got, want, err)
			}
		}
	}
}
