package dockerd

import (
	"cmp"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// Init makes the daemon a Swarm's first manager, which others on its Lan can join.
func (d *Daemon) Init(t testing.TB) {
	t.Helper()
	ip := cmp.Or(d.IP, "127.0.0.1")
	if _, err := d.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: ip + ":2377", AdvertiseAddr: ip}); err != nil {
		t.Fatalf("making a Swarm: %v", err)
	}
}

// Join makes the daemon a node of manager's Swarm and gives its id there.
func (d *Daemon) Join(t testing.TB, manager *Daemon, role swarm.NodeRole) (node string) {
	t.Helper()
	of, err := manager.Client.SwarmInspect(t.Context(), client.SwarmInspectOptions{})
	if err != nil {
		t.Fatalf("asking for the Swarm's tokens: %v", err)
	}
	token := of.Swarm.JoinTokens.Worker
	if role == swarm.NodeRoleManager {
		token = of.Swarm.JoinTokens.Manager
	}
	if _, err := d.Client.SwarmJoin(t.Context(), client.SwarmJoinOptions{
		ListenAddr: d.IP + ":2377", AdvertiseAddr: d.IP, RemoteAddrs: []string{manager.IP + ":2377"}, JoinToken: token,
	}); err != nil {
		t.Fatalf("joining a Swarm: %v", err)
	}
	return d.Node(t)
}

// Node is the daemon's id in its Swarm.
func (d *Daemon) Node(t testing.TB) string {
	t.Helper()
	info, err := d.Client.Info(t.Context(), client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info.Info.Swarm.NodeID
}
