// Package nodes reaches the Docker daemons of a Swarm's nodes: the manager's own as it is, the
// others through the manager, where their SSH host keys are pinned.
package nodes

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/remote"
)

// Nodes keeps one connection to each node that was asked for, until Close.
type Nodes struct {
	manager *remote.Host

	mu    sync.Mutex
	known map[string]*node
}

// node is connected to once. A failure stays one: who asks again has not the time to wait again.
type node struct {
	once sync.Once
	host *remote.Host // the manager's for the manager itself
	err  error
}

// Of are the nodes of the Swarm that this host manages.
func Of(manager *remote.Host) *Nodes {
	return &Nodes{manager: manager, known: map[string]*node{}}
}

// Docker talks to a node's daemon. Errors are those of Host.
func (n *Nodes) Docker(ctx context.Context, to swarm.Node) (*client.Client, error) {
	host, err := n.Host(ctx, to)
	if err != nil {
		return nil, err
	}
	return host.Docker, nil
}

// Host is a node as it is reached. Errors are remote.ErrNotOverSSH or remote.ErrNotPinned where
// there is no way to it, and sentences else.
func (n *Nodes) Host(ctx context.Context, to swarm.Node) (*remote.Host, error) {
	n.mu.Lock()
	k := n.known[to.ID]
	if k == nil {
		k = &node{}
		n.known[to.ID] = k
	}
	n.mu.Unlock()
	k.once.Do(func() { k.err = n.connect(ctx, k, to) })
	return k.host, k.err
}

func (n *Nodes) connect(ctx context.Context, k *node, to swarm.Node) error {
	own := n.manager.NodeID
	if own == "" {
		var err error
		if own, err = identity(ctx, n.manager.Docker); err != nil {
			return fmt.Errorf("asking Docker on %s which node it is: %w", n.manager.Name, err)
		}
	}
	if own == to.ID {
		k.host = n.manager
		return nil
	}
	host, err := n.manager.Node(ctx, names(to)...)
	if err != nil {
		return err
	}
	k.host = host
	// What answers at an address is not always whom one means.
	is, err := identity(ctx, k.host.Docker)
	switch {
	case err != nil:
		return fmt.Errorf("asking Docker on %s which node it is: %w", k.host.Name, err)
	case is != to.ID:
		return fmt.Errorf("%s is another machine than the Swarm's node %s; check the names and addresses in SSH_KNOWN_HOSTS", k.host.Name, to.Description.Hostname)
	}
	return nil
}

func identity(ctx context.Context, docker *client.Client) (string, error) {
	info, err := docker.Info(ctx, client.InfoOptions{})
	return info.Info.Swarm.NodeID, err
}

// Address is where the Swarm reaches a node. That of a manager which sees itself may be missing.
func Address(n swarm.Node) string {
	if ip := net.ParseIP(n.Status.Addr); ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() {
		return n.Status.Addr
	}
	if m := n.ManagerStatus; m != nil {
		if host, _, err := net.SplitHostPort(m.Addr); err == nil {
			return host
		}
	}
	return n.Status.Addr
}

func names(n swarm.Node) []string { return []string{Address(n), n.Description.Hostname} }

// Close ends the connections to all nodes but the manager.
func (n *Nodes) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range n.known {
		k.once.Do(func() {}) // waits for one that is being made
		if k.host != nil && k.host != n.manager {
			_ = k.host.Close()
		}
	}
	n.known = map[string]*node{}
}
