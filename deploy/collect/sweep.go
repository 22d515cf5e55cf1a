package collect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/live"
	"slipway/deploy/nodes"
	"slipway/deploy/remote"
)

// Swept is what became of a Swarm's nodes.
type Swept struct {
	Removed, Warnings []string
	Note              string // which nodes there is no way to, and what to do; "" for none
}

// Sweep removes what is spent from all nodes that are there, side by side.
func Sweep(ctx context.Context, state *live.State, need Need, after time.Duration, docker func(context.Context, swarm.Node) (*client.Client, error)) Swept {
	each := make([]Swept, len(state.Nodes))
	faults := make([]error, len(state.Nodes))
	var eg errgroup.Group
	eg.SetLimit(8)
	for i, node := range state.Nodes {
		if node.Status.State != swarm.NodeStateReady {
			continue
		}
		eg.Go(func() error {
			each[i], faults[i] = sweep(ctx, need, after, node, docker)
			return nil
		})
	}
	_ = eg.Wait()
	var out Swept
	var unpinned, beyond []swarm.Node
	for i, node := range state.Nodes {
		out.Removed = append(out.Removed, each[i].Removed...)
		out.Warnings = append(out.Warnings, each[i].Warnings...)
		switch err := faults[i]; {
		case errors.Is(err, remote.ErrNotPinned):
			unpinned = append(unpinned, node)
		case errors.Is(err, remote.ErrNotOverSSH):
			beyond = append(beyond, node)
		case err != nil:
			out.Warnings = append(out.Warnings, fmt.Sprintf("unused images and stopped containers on %s were not collected: %v", node.Description.Hostname, err))
		}
	}
	out.Note = note(unpinned, beyond)
	return out
}

func sweep(ctx context.Context, need Need, after time.Duration, node swarm.Node, connect func(context.Context, swarm.Node) (*client.Client, error)) (out Swept, err error) {
	docker, err := connect(ctx, node)
	if err != nil {
		return out, err
	}
	held, err := need.look(ctx, docker, after)
	if err != nil {
		return out, err
	}
	removed, warnings := need.Spent(held, after).remove(ctx, docker)
	on := " on " + node.Description.Hostname
	for _, r := range removed {
		out.Removed = append(out.Removed, r+on)
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, w+on)
	}
	return out, nil
}

// note names the nodes that there is no way to, and says how there can be one.
func note(unpinned, beyond []swarm.Node) string {
	const what = "unused images and stopped containers were not collected on "
	switch {
	case len(unpinned) > 0:
		hosts, addresses := list(unpinned)
		return what + hosts + ", since no SSH host key is pinned there: put what `ssh-keyscan " + addresses + "` prints on the server into SSH_KNOWN_HOSTS, once it is known to be right"
	case len(beyond) > 0:
		hosts, _ := list(beyond)
		return what + hosts + ": other nodes are reached through a server over SSH only; let `docker system prune` run there"
	}
	return ""
}

func list(all []swarm.Node) (hosts, addresses string) {
	var h, a []string
	for _, n := range all {
		h, a = append(h, n.Description.Hostname), append(a, nodes.Address(n))
	}
	return strings.Join(h, ", "), strings.Join(a, " ")
}
