package remote

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// Manager checks that the daemon manages a working swarm. The error is ErrNotSwarm or
// ErrNotManager, with what to do. From then on the node's ID is known.
func (h *Host) Manager(ctx context.Context) error {
	info, err := h.Docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("asking Docker on %s about its swarm: %w", h.Name, err)
	}
	h.NodeID = info.Info.Swarm.NodeID
	if h.gate != nil {
		h.gate.Node(info.Info.Name)
	}
	return checkManager(h.Name, info.Info.Swarm)
}

func checkManager(name string, node swarm.Info) error {
	switch node.LocalNodeState {
	case swarm.LocalNodeStateInactive, "":
		return say(ErrNotSwarm, nil, "Docker on %s is in no swarm. Make it one with: docker swarm init (on a server with several addresses, with --advertise-addr); mage server:setup does it too", name)
	case swarm.LocalNodeStateLocked:
		return say(ErrNotSwarm, nil, "the swarm on %s is locked after a restart. Unlock it there with: docker swarm unlock", name)
	case swarm.LocalNodeStatePending:
		return say(ErrNotSwarm, nil, "Docker on %s is still joining its swarm. Wait, or look there with: docker info", name)
	case swarm.LocalNodeStateError:
		return say(ErrNotSwarm, nil, "the swarm on %s does not work: %s. Look there with: docker info", name, node.Error)
	}
	switch {
	case node.ControlAvailable && strings.Contains(node.Error, "does not have a leader"):
		return say(ErrNotSwarm, nil, "the swarm on %s has no leader: too few of its managers are up (of three, two must be). Start the others, and deploy then; where they are gone for good, the swarm goes on with: docker swarm init --force-new-cluster", name)
	case node.ControlAvailable && node.Error != "":
		return say(ErrNotSwarm, nil, "the swarm on %s does not work: %s. Look there with: docker info", name, node.Error)
	case node.ControlAvailable:
		return nil
	}
	var managers []string
	for _, manager := range node.RemoteManagers {
		managers = append(managers, manager.Addr)
	}
	return say(ErrNotManager, nil, "Docker on %s is a worker of its swarm, and cannot deploy. Set SERVER_HOST to a manager (%s), or let one of them run: docker node promote %s",
		name, strings.Join(managers, ", "), node.NodeID)
}
