// Package addresses knows where a stack's services are reached from outside of the Swarm. It is
// pure.
package addresses

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
)

// Address is one published port.
type Address struct {
	Service  string `json:"service"` // its name in the manifest
	Target   uint32 `json:"target"`  // the port in the container
	Protocol string `json:"protocol"`
	Port     uint32 `json:"port"`
	Node     string `json:"node,omitempty"` // "" where every node of the Swarm answers
}

// Of has a stack's published ports, those that Swarm or a node allotted included.
func Of(state *live.State, stack string) (out []Address) {
	hosts := map[string]string{}
	for _, n := range state.Nodes {
		hosts[n.ID] = n.Description.Hostname
	}
	for _, s := range state.Of(stack) {
		key := live.Key(stack, s.Spec)
		add := func(p swarm.PortConfig, node string) {
			if p.PublishedPort != 0 {
				out = append(out, Address{Service: key, Target: p.TargetPort, Protocol: string(p.Protocol), Port: p.PublishedPort, Node: node})
			}
		}
		for _, p := range s.Endpoint.Ports {
			if p.PublishMode != swarm.PortConfigPublishModeHost {
				add(p, "")
			}
		}
		for _, t := range state.Tasks {
			if t.ServiceID != s.ID || t.Status.State != swarm.TaskStateRunning {
				continue
			}
			for _, p := range t.Status.PortStatus.Ports {
				if p.PublishMode == swarm.PortConfigPublishModeHost {
					add(p, hosts[t.NodeID])
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Address) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Port, b.Port))
	})
	return slices.Compact(out)
}

// String is "web 8080/tcp: port 30001 on every node".
func (a Address) String() string {
	return fmt.Sprintf("%s %d/%s: port %d on %s", a.Service, a.Target, a.Protocol, a.Port, cmp.Or(a.Node, "every node"))
}

// URL is the address on a host, as a browser takes it where the port is one that is usual for
// HTTP, else HOST:PORT.
func (a Address) URL(host string) string {
	scheme := map[uint32]string{80: "http://", 8080: "http://", 8000: "http://", 3000: "http://", 443: "https://", 8443: "https://"}[a.Target]
	if a.Protocol != "tcp" {
		scheme = ""
	}
	if scheme == "https://" && a.Port == 443 || scheme == "http://" && a.Port == 80 {
		return scheme + host
	}
	return fmt.Sprintf("%s%s:%d", scheme, host, a.Port)
}
