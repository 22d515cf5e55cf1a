package dockerd_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

func TestDaemonsOnOneLanAreNodesOfOneSwarm(t *testing.T) {
	lan := dockerd.NewLan(t)
	one := dockerd.Start(t, dockerd.Options{Lan: lan, Hostname: "one"})
	two := dockerd.Start(t, dockerd.Options{Lan: lan, Hostname: "two"})
	one.Init(t)
	two.Join(t, one, swarm.NodeRoleWorker)
	ready := func() (string, error) {
		nodes, err := one.Client.NodeList(t.Context(), client.NodeListOptions{})
		if err != nil {
			return "", err
		}
		var names []string
		for _, n := range nodes.Items {
			if n.Status.State == swarm.NodeStateReady {
				names = append(names, fmt.Sprintf("%s %s", n.Description.Hostname, n.Status.Addr))
			}
		}
		slices.Sort(names)
		if want := []string{"one " + one.IP, "two " + two.IP}; !slices.Equal(names, want) {
			return "", fmt.Errorf("the nodes are %v, want %v", names, want)
		}
		return "", nil
	}
	eventually(t, ready)
	two.Kill()
	two.Up()
	eventually(t, ready)
}
