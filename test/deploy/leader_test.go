package deploy

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/dockerd"
)

// TestTheLeaderIsLostInMidDeploy kills the managers' leader while services are being updated. The
// deploy goes through another manager, and no manager runs tasks.
func TestTheLeaderIsLostInMidDeploy(t *testing.T) {
	m := newMachines(t)
	two := m.join(t, "two", swarm.NodeRoleManager)
	three := m.join(t, "three", swarm.NodeRoleManager)
	m.join(t, "worker", swarm.NodeRoleWorker)
	door := m.door(t, two)
	through := []string{"SERVER_HOST=deploy@" + door.Address(), "SSH_KNOWN_HOSTS=" + door.KnownHosts()}
	web := func(mode string) string {
		const on = "deploy: {endpoint_mode: dnsrr, replicas: 2, restart_policy: {condition: on-failure, delay: 200ms}, update_config: {order: start-first, failure_action: rollback, monitor: 2s}, placement: {constraints: [node.role == worker]}}"
		return stack(service("web", mode, on), service("api", mode, on))
	}
	// begun tells that Swarm has begun to update both services.
	begun := func(image string) bool {
		updating := 0
		got, err := two.Client.ServiceList(t.Context(), client.ServiceListOptions{})
		for _, s := range got.Items {
			if err == nil && s.UpdateStatus != nil && s.UpdateStatus.State == swarm.UpdateStateUpdating && strings.Contains(s.Spec.TaskTemplate.ContainerSpec.Image, "app:"+image+"@") {
				updating++
			}
		}
		return updating == 2
	}
	m.manifest(t, "dev", web("good"))
	m.with(t, through, "deploy:env", "dev").Exits(t, 0).Says(t, "release 1: done")

	m.manifest(t, "dev", web("good2"))
	p := m.start(t, through, "deploy:env", "dev")
	eventually(t, "the update has begun", func() bool { return p.Ended() || begun("good2") })
	m.docker.Kill()
	p.wait(t).Exits(t, 0).Says(t, "release 2: done", "2/2")

	m.docker.Up()
	eventually(t, "it is in its Swarm again", func() bool {
		info, err := m.docker.Client.Info(t.Context(), client.InfoOptions{})
		return err == nil && info.Info.Swarm.LocalNodeState == swarm.LocalNodeStateActive && info.Info.Swarm.Error == ""
	})
	leader := m.electedOf(t, two, three) // the one that was killed has lost its place
	if leader == two {
		two, door = m.docker, m.door(t, m.docker)
		through = []string{"SERVER_HOST=deploy@" + door.Address(), "SSH_KNOWN_HOSTS=" + door.KnownHosts()}
	}
	m.manifest(t, "dev", web("sick"))
	p = m.start(t, through, "deploy:env", "dev")
	eventually(t, "the update has begun", func() bool { return p.Ended() || begun("sick") })
	leader.Kill()
	p.wait(t).Exits(t, 3).Says(t, "release 3: rolled back", "app in mode sick", "runs now   2 × "+m.images.Host+"/app:good2")
	m.with(t, through, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0)
}

// electedOf waits until all three managers can be reached, and tells which of these leads.
func (m *machines) electedOf(t *testing.T, those ...*dockerd.Daemon) (leader *dockerd.Daemon) {
	t.Helper()
	eventually(t, "all managers are there", func() bool {
		got, err := those[0].Client.NodeList(t.Context(), client.NodeListOptions{})
		reachable := 0
		for _, n := range got.Items {
			if err == nil && n.ManagerStatus != nil && n.ManagerStatus.Reachability == swarm.ReachabilityReachable {
				reachable++
				for _, d := range those {
					if n.ManagerStatus.Leader && n.ID == d.Node(t) {
						leader = d
					}
				}
			}
		}
		return reachable == 3 && leader != nil
	})
	return leader
}
