package preflight

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/diff"
)

const (
	ingress = swarm.PortConfigPublishModeIngress
	onHost  = swarm.PortConfigPublishModeHost
)

// Each row is what stands against a deploy, "" for nothing.
func TestCheckRefuses(t *testing.T) {
	workers := swarm.Placement{Constraints: []string{"node.role==worker"}}
	for _, c := range []struct {
		name string
		w    *world
		says string
	}{
		{"all well", newWorld(diff.Create), ""},
		// Nodes.
		{"no node takes tasks", newWorld(diff.Create, available(swarm.NodeAvailabilityDrain)), "no node of the Swarm takes tasks"},
		{"fits nowhere", newWorld(diff.Create, place(workers)), "service web fits on no node: it wants node.role==worker: a is ready, active, a manager"},
		{"fits on a drained node only", newWorld(diff.Create, place(workers), node("b"), available(swarm.NodeAvailabilityDrain)), "fits on no node"},
		{"fits nowhere, and wants no tasks", newWorld(diff.Create, place(workers), replicas(0)), ""},
		{"more than each node may have", newWorld(diff.Create, replicas(3), node("b"), place(swarm.Placement{MaxReplicas: 1})), "wants 3 tasks, at most 1 on a node, and only 2 nodes fit"},
		{"as many as each node may have", newWorld(diff.Create, replicas(2), node("b"), place(swarm.Placement{MaxReplicas: 1})), ""},
		{"as many, and one more beside them", newWorld(diff.Update, replicas(2), node("b"), place(swarm.Placement{MaxReplicas: 1}), startFirstly), "wants one more beside them"},
		{"as many, one after the other", newWorld(diff.Update, replicas(2), node("b"), place(swarm.Placement{MaxReplicas: 1})), ""},
		// Ports, as Swarm counts them.
		{"a port that another has", newWorld(diff.Create, publish(80, ingress), other("shop_prod_web", "shop_prod", 80, ingress)), "service web publishes port 80/tcp, which shop_prod_web has published already: give it another port"},
		{"a port that a sibling is to give up", newWorld(diff.Create, publish(80, ingress), other("shop_dev_old", "shop_dev", 80, ingress)), "take it away there first"},
		{"a port that another has on its nodes", newWorld(diff.Create, publish(80, ingress), other("x", "", 80, onHost)), "which x has published already"},
		{"a port on the nodes that another has everywhere", newWorld(diff.Create, publish(80, onHost), other("x", "", 80, ingress)), "which x has published already"},
		{"another port", newWorld(diff.Create, publish(81, ingress), other("x", "", 80, ingress)), ""},
		{"any free port", newWorld(diff.Create, publish(0, ingress), other("x", "", 0, ingress)), ""},
		{"its own port", newWorld(diff.Update, publish(80, ingress), other("shop_dev_web", "shop_dev", 80, ingress)), ""},
		{"a node's port that another's task has", newWorld(diff.Create, publish(80, onHost), other("x", "", 80, onHost), runs("x", "a", 1, 0, 0)), "needs 1 nodes for that: it is free on 0 of those that fit, and x has it on another"},
		{"a node's port that another service would want, without tasks", newWorld(diff.Create, publish(80, onHost), other("x", "", 80, onHost)), ""},
		{"more tasks than nodes for a node's port", newWorld(diff.Create, publish(80, onHost), replicas(2)), "needs 2 nodes"},
		{"a node's port, and the old task goes first", newWorld(diff.Update, publish(80, onHost), other("shop_dev_web", "shop_dev", 80, onHost), runs("shop_dev_web", "a", 1, 0, 0)), ""},
		{"a node's port, and the old task has it still", newWorld(diff.Update, publish(80, onHost), startFirstly, other("shop_dev_web", "shop_dev", 80, onHost), runs("shop_dev_web", "a", 1, 0, 0)), "it is free on 0"},
		{"a node's port, and another node is free", newWorld(diff.Update, publish(80, onHost), startFirstly, node("b"), other("shop_dev_web", "shop_dev", 80, onHost), runs("shop_dev_web", "a", 1, 0, 0)), ""},
		{"a node's port on each node", newWorld(diff.Create, publish(80, onHost), global, node("b"), other("x", "", 80, onHost), runs("x", "b", 1, 0, 0)), "needs 2 nodes"},
		// Room, by reservations.
		{"room for one", newWorld(diff.Create, reserve(4, 4096)), ""},
		{"too large for any node", newWorld(diff.Create, reserve(5, 0), node("b")), "there is no room for service web: it reserves 5.00 CPUs and 0 MiB, and no node that fits has more free than 4.00 CPUs and 4096 MiB"},
		{"what others have reserved", newWorld(diff.Create, reserve(0, 1024), runs("x", "a", 2, 0, 1600)), "more free than 4.00 CPUs and 896 MiB"},
		{"CPUs and memory are of one node", newWorld(diff.Create, reserve(3, 3000), node("b"), runs("x", "a", 1, 2, 0), runs("x", "b", 1, 0, 2000)), "no room"},
		{"the old task goes first", newWorld(diff.Update, reserve(3, 0), runs("web", "a", 1, 3, 0)), ""},
		{"beside the old task", newWorld(diff.Update, reserve(3, 0), startFirstly, runs("web", "a", 1, 3, 0)), "no room for service web beside its old task (order: start-first): it reserves 3.00 CPUs and 0 MiB, and no node that fits has more free than 1.00 CPUs"},
		{"beside the old task, on another node", newWorld(diff.Update, reserve(3, 0), startFirstly, node("b"), runs("web", "a", 1, 3, 0)), ""},
		{"an update that restarts nothing", newWorld(diff.Update, reserve(3, 0), startFirstly, runs("web", "a", 1, 3, 0), func(w *world) { w.op.Restarts = false }), ""},
		{"an update that only adds tasks", newWorld(diff.Update, reserve(3, 0), replicas(2), runs("web", "a", 1, 3, 0), func(w *world) { w.op.Restarts = false }), "there is room for 1 of the 2 tasks of service web"},
		{"all its tasks", newWorld(diff.Create, reserve(1.5, 0), replicas(5), node("b")), "there is room for 4 of the 5 tasks of service web"},
		{"replaced, the old one has gone", newWorld(diff.Replace, reserve(3, 0), startFirstly, runs("web", "a", 1, 3, 0)), ""},
		{"on each node, one of which is full", newWorld(diff.Create, global, reserve(1, 0), node("b"), runs("x", "b", 1, 3.5, 0)), "no room for service web on b: it reserves 1.00 CPUs and 0 MiB, and 0.50 CPUs"},
		{"what does not change is not looked at", newWorld(diff.Leave, reserve(99, 0), place(workers)), ""},
	} {
		_, err := c.w.check()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	_, err := newWorld(diff.Create, replicas(2), publish(80, onHost), reserve(9, 0), other("x", "", 80, ingress)).check()
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all at once: %v", err)
	}
}

func TestCheckWarns(t *testing.T) {
	data := func(kind mount.Type, change ...func(*mount.Mount)) func(*world) {
		m := mount.Mount{Type: kind, Source: "x", Target: "/data"}
		for _, c := range change {
			c(&m)
		}
		return func(w *world) { w.s.Spec.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{m} }
	}
	driver := func(name string) func(*mount.Mount) {
		return func(m *mount.Mount) { m.VolumeOptions = &mount.VolumeOptions{DriverConfig: &mount.Driver{Name: name}} }
	}
	for _, c := range []struct {
		name string
		w    *world
		says string
	}{
		{"all managers are there", newWorld(diff.Create, manager("b", true), manager("c", true)), ""},
		{"one of three is away", newWorld(diff.Create, manager("b", true), manager("c", false)), "2 of the Swarm's 3 managers are reachable: one more lost, and it takes no more changes"},
		{"one of five is away", newWorld(diff.Create, manager("b", true), manager("c", true), manager("d", true), manager("e", false)), "4 of the Swarm's 5 managers are reachable"},
		{"a volume that stays behind", newWorld(diff.Create, node("b"), data(mount.TypeVolume)), "service web keeps data in /data on the node it runs on"},
		{"a directory that stays behind", newWorld(diff.Create, node("b"), data(mount.TypeBind)), "keeps data in /data"},
		{"the local driver by name", newWorld(diff.Create, node("b"), data(mount.TypeVolume, driver("local"))), "keeps data in /data"},
		{"a volume of the network", newWorld(diff.Create, node("b"), data(mount.TypeVolume, driver("nfs"))), ""},
		{"a volume that is only read", newWorld(diff.Create, node("b"), data(mount.TypeVolume, func(m *mount.Mount) { m.ReadOnly = true })), ""},
		{"a volume, and one node alone", newWorld(diff.Create, data(mount.TypeVolume)), ""},
		{"a volume, and pinned", newWorld(diff.Create, node("b"), data(mount.TypeVolume), place(swarm.Placement{Constraints: []string{"node.hostname==b"}})), ""},
	} {
		warnings, err := c.w.check()
		if got := strings.Join(warnings, "\n"); err != nil || !strings.Contains(got, c.says) || (c.says == "") != (got == "") || strings.HasSuffix(c.says, "reachable") && got != c.says {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.says)
		}
	}
}
