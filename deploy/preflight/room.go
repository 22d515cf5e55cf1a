package preflight

import (
	"fmt"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/placement"
)

// room makes sure that the nodes have what the new tasks reserve free, as Swarm's scheduler
// counts (swarmkit, scheduler/filter.go: ResourceFilter): reservations alone, not what is really
// used. Where the old tasks go first, their reservations are free by then; where they do not
// (start-first), there has to be room for one more.
func room(state *live.State, s convert.Service, op diff.Operation) error {
	wants, count := reserved(s.Spec.TaskTemplate), tasks(s)
	switch {
	case count == 0, wants.NanoCPUs == 0 && wants.MemoryBytes == 0:
		return nil
	case op.Action == diff.Update && !op.Restarts && count <= running(state, op.ID): // no task is started
		return nil
	}
	fits := placement.Fits(s.Spec.TaskTemplate.Placement, state.Nodes)
	if s.Spec.Mode.Global != nil || s.Spec.Mode.GlobalJob != nil {
		for _, n := range fits {
			if free := free(state, n, op.ID, !startFirst(s, op)); capacity(free, wants) == 0 {
				return fmt.Errorf("there is no room for service %s on %s: it reserves %s, and %s is free there. Lower its reservations, or those of others", s.Key, n.Description.Hostname, amount(wants), amount(free))
			}
		}
		return nil
	}
	besides, instead := 0, 0
	var most swarm.Resources
	for _, n := range fits {
		with, without := free(state, n, op.ID, false), free(state, n, op.ID, true)
		besides, instead = besides+capacity(with, wants), instead+capacity(without, wants)
		if !startFirst(s, op) {
			with = without
		}
		most.NanoCPUs, most.MemoryBytes = max(most.NanoCPUs, with.NanoCPUs), max(most.MemoryBytes, with.MemoryBytes)
	}
	switch {
	case startFirst(s, op) && besides == 0:
		return fmt.Errorf("there is no room for service %s beside its old task (order: start-first): it reserves %s, and no node that fits has more free than %s. Lower its reservations, or those of others", s.Key, amount(wants), amount(most))
	case instead == 0:
		return fmt.Errorf("there is no room for service %s: it reserves %s, and no node that fits has more free than %s. Lower its reservations, or those of others", s.Key, amount(wants), amount(most))
	case instead < count:
		return fmt.Errorf("there is room for %d of the %d tasks of service %s: each reserves %s. Lower its reservations, or those of others", instead, count, s.Key, amount(wants))
	}
	return nil
}

// running is how many tasks of a service there are.
func running(state *live.State, service string) (n int) {
	for _, t := range state.Tasks {
		if t.ServiceID == service {
			n++
		}
	}
	return n
}

// free is what nobody has reserved on a node, with or without the tasks of a service.
func free(state *live.State, n swarm.Node, service string, without bool) swarm.Resources {
	r := n.Description.Resources
	for _, t := range state.Tasks {
		if t.NodeID == n.ID && (!without || t.ServiceID != service) {
			has := reserved(t.Spec)
			r.NanoCPUs, r.MemoryBytes = r.NanoCPUs-has.NanoCPUs, r.MemoryBytes-has.MemoryBytes
		}
	}
	return r
}

// capacity is how many tasks find room.
func capacity(free, wants swarm.Resources) int {
	n := int64(1 << 20)
	if wants.NanoCPUs > 0 {
		n = min(n, free.NanoCPUs/wants.NanoCPUs)
	}
	if wants.MemoryBytes > 0 {
		n = min(n, free.MemoryBytes/wants.MemoryBytes)
	}
	return int(max(n, 0))
}

func reserved(t swarm.TaskSpec) (r swarm.Resources) {
	if t.Resources != nil && t.Resources.Reservations != nil {
		r.NanoCPUs, r.MemoryBytes = t.Resources.Reservations.NanoCPUs, t.Resources.Reservations.MemoryBytes
	}
	return r
}

func amount(r swarm.Resources) string {
	return fmt.Sprintf("%.2f CPUs and %d MiB", float64(r.NanoCPUs)/1e9, r.MemoryBytes>>20)
}
