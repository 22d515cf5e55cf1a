package preflight

import (
	"errors"
	"fmt"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/placement"
)

// Check looks at the Swarm for what would fail a plan's writes, or the tasks that they start.
// It is pure; all that stands against the plan comes at once.
func Check(state *live.State, want *convert.Stack, plan *diff.Plan) (warnings []string, err error) {
	errs := []error{quorum(state, &warnings)}
	changed := map[string]diff.Operation{}
	for _, op := range plan.Operations {
		if op.Kind == diff.ServiceKind && (op.Action == diff.Create || op.Action == diff.Replace || op.Action == diff.Update) {
			changed[op.Name] = op
		}
	}
	for _, s := range want.Services {
		if op, ok := changed[s.Spec.Name]; ok {
			errs = append(errs, nodes(state, s, op), ports(state, s), hostPorts(state, s, op), room(state, s, op))
			if w := data(state, s); w != "" {
				warnings = append(warnings, w)
			}
		}
	}
	return warnings, errors.Join(errs...)
}

func quorum(state *live.State, warnings *[]string) error {
	managers, reachable, ready := 0, 0, 0
	for _, n := range state.Nodes {
		if n.ManagerStatus != nil {
			managers++
			if n.ManagerStatus.Reachability == swarm.ReachabilityReachable {
				reachable++
			}
		}
		if n.Status.State == swarm.NodeStateReady && n.Spec.Availability == swarm.NodeAvailabilityActive {
			ready++
		}
	}
	if ready == 0 {
		return fmt.Errorf("no node of the Swarm takes tasks: all are down, paused or drained (docker node ls)")
	}
	if reachable < managers {
		text := fmt.Sprintf("%d of the Swarm's %d managers are reachable", reachable, managers)
		if reachable-1 < managers/2+1 {
			text += ": one more lost, and it takes no more changes"
		}
		*warnings = append(*warnings, text)
	}
	return nil
}

// tasks is how many tasks of a replicated service there are to be, 1 on each node else.
func tasks(s convert.Service) int {
	if m := s.Spec.Mode.Replicated; m != nil && m.Replicas != nil {
		return int(*m.Replicas)
	}
	return 1
}

// startFirst tells whether new tasks have to run beside the old ones.
func startFirst(s convert.Service, op diff.Operation) bool {
	u := s.Spec.UpdateConfig
	return op.Action == diff.Update && op.Restarts && !s.Job() && u != nil && u.Order == swarm.UpdateOrderStartFirst
}

func nodes(state *live.State, s convert.Service, op diff.Operation) error {
	p := s.Spec.TaskTemplate.Placement
	fits := len(placement.Fits(p, state.Nodes))
	switch {
	case tasks(s) == 0:
	case fits == 0:
		return fmt.Errorf("service %s fits on no node: it wants %s", s.Key, placement.Describe(p, state.Nodes))
	case p != nil && p.MaxReplicas > 0 && int(p.MaxReplicas)*fits < tasks(s):
		return fmt.Errorf("service %s wants %d tasks, at most %d on a node, and only %d nodes fit", s.Key, tasks(s), p.MaxReplicas, fits)
	case p != nil && p.MaxReplicas > 0 && startFirst(s, op) && int(p.MaxReplicas)*fits == tasks(s):
		return fmt.Errorf("service %s cannot be updated: it has as many tasks as max_replicas_per_node allows on the %d nodes that fit, and order: start-first wants one more beside them. Write order: stop-first, or allow more", s.Key, fits)
	}
	return nil
}

// data warns of volumes that belong to one node while tasks may move to another.
func data(state *live.State, s convert.Service) string {
	c, p := s.Spec.TaskTemplate.ContainerSpec, s.Spec.TaskTemplate.Placement
	if c == nil || len(placement.Fits(p, state.Nodes)) < 2 {
		return ""
	}
	for _, m := range c.Mounts {
		local := m.Type == mount.TypeVolume && (m.VolumeOptions == nil || m.VolumeOptions.DriverConfig == nil || m.VolumeOptions.DriverConfig.Name == "" || m.VolumeOptions.DriverConfig.Name == "local")
		if (m.Type == mount.TypeBind || local) && !m.ReadOnly {
			return fmt.Sprintf("service %s keeps data in %s on the node it runs on, and may be moved to another, where that is empty: pin it with deploy.placement.constraints", s.Key, m.Target)
		}
	}
	return ""
}
