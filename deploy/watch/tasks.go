package watch

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/placement"
)

// current are the tasks of the live spec: Swarm's rule (swarmkit, orchestrator/task.go:
// IsTaskDirty), by which another placement makes no task outdated whose node fits still.
func (v view) current(g Goal) []swarm.Task {
	var out []swarm.Task
	spec := plain(v.service.Spec.TaskTemplate)
	for _, t := range v.tasks {
		if job(v.service.Spec) {
			if v.service.JobStatus == nil || t.JobIteration != nil && t.JobIteration.Index == v.service.JobStatus.JobIteration.Index {
				out = append(out, t)
			}
			continue
		}
		if g.Anew && g.Before[t.ID] || !reflect.DeepEqual(plain(t.Spec), spec) || v.misplaced(t) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// misplaced tells a task that Swarm is about to move: its node is known and does not match the
// constraints.
func (v view) misplaced(t swarm.Task) bool {
	p := v.service.Spec.TaskTemplate.Placement
	i := slices.IndexFunc(v.nodes, func(n swarm.Node) bool { return n.ID == t.NodeID })
	return p != nil && i >= 0 && !placement.Matches(&swarm.Placement{Constraints: p.Constraints}, v.nodes[i])
}

// plain is what counts of a task's spec. Docker shows the runtime of services, and not of tasks.
func plain(t swarm.TaskSpec) swarm.TaskSpec {
	t.Placement = nil
	t.Runtime = cmp.Or(t.Runtime, swarm.RuntimeContainer)
	return t
}

// count says how many tasks run, and how many should: one for each slot, or for each node.
func (v view) count(current []swarm.Task) (running, wanted int) {
	spec := v.service.Spec
	state := swarm.TaskStateRunning
	var fits map[string]bool // the nodes of a global service: one that is paused keeps its task and counts for none
	switch m := spec.Mode; {
	case m.Replicated != nil:
		wanted = 1
		if m.Replicated.Replicas != nil {
			wanted = int(*m.Replicated.Replicas)
		}
	case m.ReplicatedJob != nil:
		state, wanted = swarm.TaskStateComplete, 1
		if n := m.ReplicatedJob.TotalCompletions; n != nil {
			wanted = int(*n)
		} else if n := m.ReplicatedJob.MaxConcurrent; n != nil {
			wanted = int(*n)
		}
	case m.GlobalJob != nil:
		state, fits = swarm.TaskStateComplete, v.fits()
	default:
		fits = v.fits()
	}
	if fits != nil {
		wanted = len(fits)
	}
	places := map[string]bool{}
	for _, t := range current {
		if t.Status.State == state && (state == swarm.TaskStateComplete || t.DesiredState == swarm.TaskStateRunning) && (fits == nil || fits[t.NodeID]) {
			places[place(t)] = true
		}
	}
	return len(places), wanted
}

// fits are the ids of the nodes that a global service wants a task on.
func (v view) fits() map[string]bool {
	out := map[string]bool{}
	for _, n := range placement.Fits(v.service.Spec.TaskTemplate.Placement, v.nodes) {
		out[n.ID] = true
	}
	return out
}

func place(t swarm.Task) string {
	if t.Slot != 0 {
		return fmt.Sprint(t.Slot)
	}
	return t.NodeID
}

func none(tasks []swarm.Task) bool {
	for _, t := range tasks {
		if !ended(t) {
			return false
		}
	}
	return true
}

func ended(t swarm.Task) bool {
	switch t.Status.State {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		return true
	}
	return false
}

func failed(t swarm.Task) bool {
	return t.Status.State == swarm.TaskStateFailed || t.Status.State == swarm.TaskStateRejected
}

// up tells whether a newer task runs in the place of one.
func (v view) up(t swarm.Task, current []swarm.Task) bool {
	return slices.ContainsFunc(current, func(o swarm.Task) bool {
		return place(o) == place(t) && o.Status.State == swarm.TaskStateRunning && o.CreatedAt.After(t.CreatedAt)
	})
}
