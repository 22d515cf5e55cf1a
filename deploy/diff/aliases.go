package diff

import (
	"fmt"
	"slices"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// aliases refuses a name that two stacks answer to on a network they share: the tasks of both
// would be mixed under it, and dev's backend would answer for prod's.
func (c *comparison) aliases() {
	ids := c.state.NetworkIDs()
	for _, s := range c.want.Services {
		for _, n := range s.Spec.TaskTemplate.Networks {
			id := ids[n.Target]
			if id == "" {
				continue // it is yet to be made
			}
			for _, other := range c.state.Services {
				stack := other.Spec.Labels[convert.LabelNamespace]
				if stack == c.want.Name {
					continue
				}
				alias := shared(s.Spec.Name, n, id, other)
				switch {
				case alias == "":
				case none(s.Spec) || none(other.Spec):
					c.plan.Warnings = append(c.plan.Warnings, fmt.Sprintf("service %s answers to %q on the network %s, as does %s of another stack: with no replicas one of them harms nobody, but do not start it so", s.Key, alias, n.Target, other.Spec.Name))
				default:
					c.fail("service %s would answer to %q on the network %s, as does %s of another stack: requests to that name would reach either. Give one of them another alias, or take it off the network", s.Key, alias, n.Target, other.Spec.Name)
				}
			}
		}
	}
}

// none tells a service that is to have no tasks.
func none(s swarm.ServiceSpec) bool {
	return s.Mode.Replicated != nil && s.Mode.Replicated.Replicas != nil && *s.Mode.Replicated.Replicas == 0
}

// shared is a name that a service called own and another both answer to on a network: Swarm
// gives each its full name beside its aliases.
func shared(own string, n swarm.NetworkAttachmentConfig, id string, other swarm.Service) string {
	for _, o := range other.Spec.TaskTemplate.Networks {
		if o.Target != id && o.Target != n.Target {
			continue
		}
		for _, a := range append([]string{own}, n.Aliases...) {
			if slices.Contains(append([]string{other.Spec.Name}, o.Aliases...), a) {
				return a
			}
		}
	}
	return ""
}
