// Package placement tells which nodes of a Swarm a service's tasks may run on. It is pure, and
// follows swarmkit (manager/constraint/constraint.go and scheduler/filter.go).
package placement

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"
)

// Fits are the nodes that are there to take tasks, and that match the constraints and the
// platforms of p, which may be nil.
func Fits(p *swarm.Placement, nodes []swarm.Node) []swarm.Node {
	var out []swarm.Node
	for _, n := range nodes {
		if n.Status.State == swarm.NodeStateReady && n.Spec.Availability == swarm.NodeAvailabilityActive && Matches(p, n) {
			out = append(out, n)
		}
	}
	return out
}

// Matches tells whether a node is one of those that p means, whether it is up or not.
func Matches(p *swarm.Placement, n swarm.Node) bool {
	if p == nil {
		return true
	}
	for _, c := range p.Constraints {
		if !matches(c, n) {
			return false
		}
	}
	return len(p.Platforms) == 0 || slices.ContainsFunc(p.Platforms, func(want swarm.Platform) bool { return platform(want, n.Description.Platform) })
}

func platform(want, have swarm.Platform) bool {
	return (want.OS == "" || want.OS == have.OS) &&
		(want.Architecture == "" || architecture(want.Architecture) == architecture(have.Architecture))
}

// architecture gives the names of uname the ones that images have.
func architecture(name string) string {
	switch name {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return name
}

// matches evaluates "key==value" and "key!=value"; values are compared without regard to case.
func matches(constraint string, n swarm.Node) bool {
	key, value, equal := strings.Cut(constraint, "==")
	if !equal {
		var ok bool
		if key, value, ok = strings.Cut(constraint, "!="); !ok {
			return false
		}
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if strings.EqualFold(key, "node.ip") {
		is, ok := address(value, n.Status.Addr)
		return ok && is == equal
	}
	have, known := attribute(key, n)
	return known && strings.EqualFold(have, value) == equal
}

// address tells whether a node's address is one, or in a network; not ok where it is neither.
func address(value, have string) (is, ok bool) {
	ip := net.ParseIP(have)
	if one := net.ParseIP(value); one != nil {
		return one.Equal(ip), true
	}
	_, subnet, err := net.ParseCIDR(value)
	return err == nil && subnet.Contains(ip), err == nil
}

func attribute(key string, n swarm.Node) (value string, known bool) {
	switch lower := strings.ToLower(key); {
	case lower == "node.id":
		return n.ID, true
	case lower == "node.hostname":
		return n.Description.Hostname, true
	case lower == "node.role":
		return string(n.Spec.Role), true
	case lower == "node.platform.os":
		return n.Description.Platform.OS, true
	case lower == "node.platform.arch":
		return n.Description.Platform.Architecture, true
	case strings.HasPrefix(lower, "node.labels.") && len(key) > len("node.labels."):
		return n.Spec.Labels[key[len("node.labels."):]], true
	case strings.HasPrefix(lower, "engine.labels.") && len(key) > len("engine.labels."):
		return n.Description.Engine.Labels[key[len("engine.labels."):]], true
	}
	return "", false
}

// Describe says why no node fits: the constraints, and what the nodes have.
func Describe(p *swarm.Placement, nodes []swarm.Node) string {
	var parts []string
	for _, n := range nodes {
		var labels []string
		for k, v := range n.Spec.Labels {
			labels = append(labels, k+"="+v)
		}
		slices.Sort(labels)
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s is %s, %s, a %s %s", n.Description.Hostname, n.Status.State, n.Spec.Availability, n.Spec.Role, strings.Join(labels, " "))))
	}
	constraints := "no constraint"
	if p != nil && len(p.Constraints) > 0 {
		constraints = strings.Join(p.Constraints, " and ")
	}
	return fmt.Sprintf("%s: %s", constraints, strings.Join(parts, "; "))
}
