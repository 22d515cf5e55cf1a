// Package doctor says what is wrong with a Swarm and its nodes, why that matters, and what to
// do. Facts are gathered in one place; the rules over them are pure.
package doctor

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
)

// Finding is one thing that is wrong.
type Finding struct {
	Rule   string `json:"rule"`   // "quorum"
	Object string `json:"object"` // what it is about: a node, a service, a stack
	What   string `json:"what"`
	Why    string `json:"why"`
	Do     string `json:"do"`
}

// Facts are what is known of a Swarm.
type Facts struct {
	Now     time.Time // by the manager's clock
	Cluster swarm.ClusterInfo
	State   *live.State
	Ended   []swarm.Task    // that failed or were refused, as far back as the Swarm remembers
	Hosts   map[string]Host // of nodes that could be looked at, by node id
	// Healthy are images by whether they bring a health check; others could not be looked at.
	Healthy map[string]bool
	Pulls   []Pull
	Served  []Served
}

// Host is what a node's machine says. Zero numbers are not known.
type Host struct {
	Ahead             time.Duration // of the manager's clock
	Disk, DiskFree    int64         // bytes, where Docker keeps its data
	Memory, Available int64         // bytes
	MTU               int           // of the interface that has the node's address in the Swarm
}

// Pull is an attempt of a node's daemon to look an image up in its registry, with the credentials
// that a deploy from here would use.
type Pull struct {
	Node, Image string
	Err         string // a sentence; "" where it went well
}

// Served is a certificate that a published port shows.
type Served struct {
	Service string
	Port    uint32
	Leaf    *x509.Certificate
}

// Diagnose applies all rules. Findings are in the order of the rules, then of their objects.
func Diagnose(f Facts) []Finding {
	found := []Finding{}
	for _, rule := range []func(Facts) []Finding{
		quorum, providers, absent, room, clocks, mtu, authority, certificates, pulls, credentials, health, locks, orphans,
	} {
		of := rule(f)
		slices.SortStableFunc(of, func(a, b Finding) int { return cmp.Compare(a.Object, b.Object) })
		found = append(found, of...)
	}
	return found
}

// name is how a person knows a node.
func name(n swarm.Node) string { return cmp.Or(n.Description.Hostname, n.ID) }

func managers(f Facts) (out []swarm.Node) {
	for _, n := range f.State.Nodes {
		if n.Spec.Role == swarm.NodeRoleManager {
			out = append(out, n)
		}
	}
	return out
}
