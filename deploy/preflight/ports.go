package preflight

import (
	"errors"
	"fmt"
	"slices"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/placement"
)

// ports looks for what another service has published already, as Swarm does before it takes a
// spec (swarmkit, controlapi/service.go: checkPortConflicts): one with no tasks counts too.
func ports(state *live.State, s convert.Service) error {
	var errs []error
	for _, other := range state.Services {
		if other.Spec.Name == s.Spec.Name {
			continue
		}
		for _, mine := range published(s.Spec.EndpointSpec) {
			if !slices.ContainsFunc(slices.Concat(published(other.Spec.EndpointSpec), other.Endpoint.Ports), func(p swarm.PortConfig) bool {
				return same(p, mine) && (!host(p) || !host(mine))
			}) {
				continue
			}
			do := "give it another port"
			if other.Spec.Labels[convert.LabelNamespace] == s.Spec.Labels[convert.LabelNamespace] {
				do = "if it is to move from there, take it away there first, in a deploy of its own"
			}
			errs = append(errs, fmt.Errorf("service %s publishes port %d/%s, which %s has published already: %s", s.Key, mine.PublishedPort, mine.Protocol, other.Spec.Name, do))
		}
	}
	return errors.Join(errs...)
}

// hostPorts makes sure that there are nodes where the ports in host mode are free, as Swarm's
// scheduler counts (swarmkit, scheduler/filter.go: HostPortFilter). Where the old task goes
// first, its port is free by then.
func hostPorts(state *live.State, s convert.Service, op diff.Operation) error {
	mine := slices.DeleteFunc(published(s.Spec.EndpointSpec), func(p swarm.PortConfig) bool { return !host(p) })
	fits := placement.Fits(s.Spec.TaskTemplate.Placement, state.Nodes)
	if len(mine) == 0 || len(fits) == 0 {
		return nil
	}
	wants := tasks(s)
	switch {
	case s.Spec.Mode.Global != nil:
		wants = len(fits)
	case startFirst(s, op):
		wants = 1
	}
	taken := map[string]string{} // by node: who
	for _, other := range state.Services {
		if other.Spec.Name == s.Spec.Name && !startFirst(s, op) || !slices.ContainsFunc(published(other.Spec.EndpointSpec), func(p swarm.PortConfig) bool {
			return host(p) && slices.ContainsFunc(mine, func(m swarm.PortConfig) bool { return same(p, m) })
		}) {
			continue
		}
		for _, t := range state.Tasks {
			if t.ServiceID == other.ID {
				taken[t.NodeID] = other.Spec.Name
			}
		}
	}
	free, by := 0, ""
	for _, n := range fits {
		if taken[n.ID] == "" {
			free++
		} else {
			by = ", and " + taken[n.ID] + " has it on another"
		}
	}
	if free < wants {
		return fmt.Errorf("service %s publishes port %d/%s on the node of each task, and needs %d nodes for that: it is free on %d of those that fit%s", s.Key, mine[0].PublishedPort, mine[0].Protocol, wants, free, by)
	}
	return nil
}

func published(e *swarm.EndpointSpec) []swarm.PortConfig {
	if e == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(e.Ports), func(p swarm.PortConfig) bool { return p.PublishedPort == 0 })
}

func same(a, b swarm.PortConfig) bool {
	return a.PublishedPort == b.PublishedPort && a.Protocol == b.Protocol
}

func host(p swarm.PortConfig) bool { return p.PublishMode == swarm.PortConfigPublishModeHost }
