package preflight

import (
	"fmt"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/placement"
)

// room makes sure that some node has what a new task reserves free, as Swarm's scheduler counts
// (swarmkit, scheduler/filter.go: ResourceFilter): reservations alone, not what is really used.
// Where the old task goes first, its reservation is free by then.
func room(state *live.State, s convert.Service, op diff.Operation) error {
	wants := reserved(s.Spec.TaskTemplate)
	if tasks(s) == 0 || op.Action == diff.Update && !op.Restarts || wants.NanoCPUs == 0 && wants.MemoryBytes == 0 {
		return nil
	}
	stopFirst := op.Action == diff.Replace || s.Spec.UpdateConfig == nil || s.Spec.UpdateConfig.Order != swarm.UpdateOrderStartFirst
	var most swarm.Resources
	for _, n := range placement.Fits(s.Spec.TaskTemplate.Placement, state.Nodes) {
		free := n.Description.Resources
		for _, t := range state.Tasks {
			if t.NodeID == n.ID && !(stopFirst && t.ServiceID == op.ID) {
				r := reserved(t.Spec)
				free.NanoCPUs, free.MemoryBytes = free.NanoCPUs-r.NanoCPUs, free.MemoryBytes-r.MemoryBytes
			}
		}
		if free.NanoCPUs >= wants.NanoCPUs && free.MemoryBytes >= wants.MemoryBytes {
			return nil
		}
		most.NanoCPUs, most.MemoryBytes = max(most.NanoCPUs, free.NanoCPUs), max(most.MemoryBytes, free.MemoryBytes)
	}
	both := ""
	if !stopFirst && op.Action == diff.Update {
		both = " beside the old task (order: start-first)"
	}
	return fmt.Errorf("there is no room for service %s%s: it reserves %s, and no node that fits has more free than %s. Lower its reservations, or those of others", s.Key, both, amount(wants), amount(most))
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
