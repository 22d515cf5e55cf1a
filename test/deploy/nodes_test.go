package deploy

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/crypto/ssh"

	"slipway/deploy/nodes"
	"slipway/deploy/remote"
	"slipway/secret"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/sshd"
)

// machines is a bed with a Swarm of several nodes: b.docker manages it, and the others joined.
type machines struct {
	*bed
	lan *dockerd.Lan
	key string
	pub ssh.PublicKey
}

func newMachines(t *testing.T) *machines {
	t.Helper()
	t.Parallel()
	m := &machines{bed: &bed{images: registry.Start(t, registry.Options{}), repo: gitrepo.New(t)}, lan: dockerd.NewLan(t)}
	for _, mode := range []string{"good", "good2", "good3", "sick"} {
		m.push(t, "app:"+mode, mode)
	}
	m.key, m.pub = sshd.NewKey(t, "ed25519", "")
	m.docker = m.machine(t, "boss")
	m.docker.Init(t)
	m.server = m.door(t, m.docker)
	m.repo.Write("slipway.yaml", "project: repo\n")
	m.env = []string{
		"SERVER_HOST=deploy@" + m.server.Address(), "SSH_KEY=" + m.key, "SSH_KNOWN_HOSTS=" + m.server.KnownHosts(),
		"REGISTRY=" + m.images.Host, "SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "USER=anna",
	}
	return m
}

func (m *machines) machine(t testing.TB, name string) *dockerd.Daemon {
	t.Helper()
	return dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{m.images.Host}, Lan: m.lan, Hostname: name})
}

// join adds a node to the Swarm and waits until it is ready.
func (m *machines) join(t testing.TB, name string, role swarm.NodeRole) *dockerd.Daemon {
	t.Helper()
	d := m.machine(t, name)
	id := d.Join(t, m.docker, role)
	eventually(t, name+" is ready", func() bool {
		n, err := m.docker.Client.NodeInspect(t.Context(), id, client.NodeInspectOptions{})
		return err == nil && n.Node.Status.State == swarm.NodeStateReady
	})
	return d
}

// door is an SSH server on a machine, with the same user and key on all.
func (m *machines) door(t testing.TB, d *dockerd.Daemon) *sshd.Server {
	t.Helper()
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(d.Host, "unix://"), HostKeys: []string{"ed25519"}, Machine: d, ListenOn: d.IP})
	s.Authorize("deploy", string(ssh.MarshalAuthorizedKey(m.pub)))
	return s
}

// pinned pins a node's host key beside the manager's, as ssh-keyscan on the manager gives it.
func (m *machines) pinned(d *dockerd.Daemon, s *sshd.Server) []string {
	return []string{"SSH_KNOWN_HOSTS=" + m.server.KnownHosts() + sshd.KnownHostsLine(d.IP+":22", s.HostKey("ed25519"))}
}

// node changes what the Swarm is told about a node.
func (m *machines) node(t testing.TB, d *dockerd.Daemon, change func(*swarm.NodeSpec)) {
	t.Helper()
	id := d.Node(t)
	eventually(t, "the node's change is taken", func() bool {
		n, err := m.docker.Client.NodeInspect(t.Context(), id, client.NodeInspectOptions{})
		must(t, err)
		change(&n.Node.Spec)
		_, err = m.docker.Client.NodeUpdate(t.Context(), id, client.NodeUpdateOptions{Version: n.Node.Version, Spec: n.Node.Spec})
		return err == nil
	})
}

// verdict reads the JSON of a deploy.
func verdict(t testing.TB, r result) (v struct {
	Collected []string
	Note      string
	Warnings  []string
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil {
		t.Fatalf("slipway %s: %v\n%s", strings.Join(r.Args, " "), err, r.Stdout)
	}
	return v
}

func TestSeveralNodes(t *testing.T) {
	m := newMachines(t)
	near := m.join(t, "near", swarm.NodeRoleWorker)
	far := m.join(t, "far", swarm.NodeRoleWorker)
	door := m.door(t, near)
	pinned := m.pinned(near, door)
	m.node(t, near, func(s *swarm.NodeSpec) { s.Labels = map[string]string{"disk": "ssd"} })
	m.node(t, m.docker, func(s *swarm.NodeSpec) { s.Labels = map[string]string{"disk": "ssd"} })
	on := func(node, mode string) string {
		return service("web", mode, "deploy: {endpoint_mode: dnsrr, restart_policy: {condition: on-failure, delay: 200ms}, update_config: {failure_action: rollback, monitor: 1s}, placement: {constraints: [node.hostname == "+node+"]}}")
	}

	t.Run("a worker deploys nothing", func(t *testing.T) {
		m.manifest(t, "dev", stack(service("web", "good")))
		before := m.versions(t)
		m.with(t, []string{"SERVER_HOST=deploy@" + door.Address(), "SSH_KNOWN_HOSTS=" + door.KnownHosts()}, "deploy:env", "dev").
			Exits(t, 1).Says(t, "is a worker of its swarm, and cannot deploy. Set SERVER_HOST to a manager ("+m.docker.IP+":2377)")
		if after := m.versions(t); !maps.Equal(before, after) {
			t.Errorf("something was written: %v", after)
		}
	})

	t.Run("a global service is on the nodes that fit", func(t *testing.T) {
		global := func(more string) string {
			return stack(service("web", "good", "deploy: {mode: global, endpoint_mode: dnsrr, update_config: {monitor: 1s}"+more+"}"))
		}
		m.manifest(t, "globe", global(""))
		m.slipway(t, "deploy:env", "globe").Exits(t, 0).Says(t, "3/3")
		m.manifest(t, "globe", global(", placement: {constraints: [node.labels.disk == ssd]}"))
		m.slipway(t, "deploy:env", "globe").Exits(t, 0).Says(t, "2/2")
		m.node(t, near, func(s *swarm.NodeSpec) { s.Availability = swarm.NodeAvailabilityDrain })
		m.slipway(t, "deploy:env", "globe").Exits(t, 0).Says(t, "unchanged", "1/1")
		m.node(t, near, func(s *swarm.NodeSpec) { s.Availability = swarm.NodeAvailabilityActive })
		m.slipway(t, "deploy:env", "globe").Exits(t, 0).Says(t, "unchanged", "2/2")
		m.slipway(t, "deploy:remove", "globe", "-yes=true").Exits(t, 0)
	})

	t.Run("a failure on another node is explained", func(t *testing.T) {
		m.manifest(t, "dev", stack(on("near", "good")))
		m.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 1: done")
		m.manifest(t, "dev", stack(on("near", "sick")))
		m.with(t, pinned, "deploy:env", "dev").Exits(t, 3).
			Says(t, " on near\n", "health     exit code 1: checked sick", "its health check fails", "app in mode sick")
		m.node(t, near, func(s *swarm.NodeSpec) { s.Availability = swarm.NodeAvailabilityDrain })
		m.manifest(t, "dev", stack(on("near", "good")))
		m.slipway(t, "deploy:env", "dev", "-timeout=2s").Exits(t, 4).Says(t, "nothing was to be changed, but web does not run as it should")
		m.node(t, near, func(s *swarm.NodeSpec) { s.Availability = swarm.NodeAvailabilityActive })
		m.manifest(t, "dev", stack(on("near", "sick")))
		m.slipway(t, "deploy:env", "dev").Exits(t, 3).
			Says(t, " on near\n", "not known: the container ran on near, and only that node's daemon has what its checks said", "app in mode sick")
		m.slipway(t, "deploy:remove", "dev", "-yes=true").Exits(t, 0)
	})

	t.Run("what is no longer used goes from all nodes", func(t *testing.T) {
		m.repo.Write("slipway.yaml", "project: repo\nenvironments: {tidy: {retention: 1, collect_after: 0s}}\n")
		var last result
		for _, mode := range []string{"good", "good2", "good3"} {
			m.manifest(t, "tidy", stack(on("near", mode)))
			last = m.with(t, pinned, "deploy:env", "tidy", "-json=true").Exits(t, 0)
		}
		v := verdict(t, last)
		good, good2 := m.digest(t, "app:good"), m.digest(t, "app:good2")
		if !holds(v.Collected, "image "+m.images.Host+"/app@"+good[7:19]+" on near") || len(v.Warnings) > 0 {
			t.Errorf("the verdict names as collected %v, with the warnings %v", v.Collected, v.Warnings)
		}
		if !strings.Contains(v.Note, "collected on far, since no SSH host key is pinned there") || !strings.Contains(v.Note, "ssh-keyscan "+far.IP+"`") {
			t.Errorf("the verdict's note is %q", v.Note)
		}
		if got := images(t, near); holds(got, good) || !holds(got, good2) {
			t.Errorf("near still has %v", got)
		}
		if !strings.Contains(last.Stderr, "removed image "+m.images.Host+"/app@"+good[7:19]+" on near") {
			t.Errorf("the collection does not show:\n%s", last.Stderr)
		}
		m.with(t, pinned, "deploy:rollback", "tidy", "-to=1").Exits(t, 2).Says(t, "no record of a release 1")
	})

	t.Run("only the very node that is meant is taken for it", func(t *testing.T) {
		host, err := remote.Connect(t.Context(), remote.Settings{
			Server: m.server.Address(), User: "deploy", Key: secret.New(m.key), KnownHosts: strings.TrimPrefix(pinned[0], "SSH_KNOWN_HOSTS="),
		})
		must(t, err)
		defer host.Close()
		all := nodes.Of(host)
		defer all.Close()
		node := swarm.Node{ID: near.Node(t), Status: swarm.NodeStatus{Addr: near.IP}}
		docker, err := all.Docker(t.Context(), node)
		must(t, err)
		info, err := docker.Info(t.Context(), client.InfoOptions{})
		if err != nil || info.Info.Name != "near" {
			t.Errorf("the way to near leads to %q (%v)", info.Info.Name, err)
		}
		node.ID, node.Description.Hostname = "somebody-else", "impostor"
		if _, err := all.Docker(t.Context(), node); err == nil || !strings.Contains(err.Error(), "deploy@"+near.IP+" is another machine than the Swarm's node impostor") {
			t.Errorf("another node at the same address: %v", err)
		}
		node.ID, node.Status.Addr, node.Description.Hostname = "x", far.IP, "far"
		if _, err := all.Docker(t.Context(), node); !errors.Is(err, remote.ErrNotPinned) {
			t.Errorf("a node without a pinned host key: %v", err)
		}
	})

	t.Run("a node that cannot be reached is a warning", func(t *testing.T) {
		door.Stop()
		m.manifest(t, "tidy", stack(on("near", "good")))
		r := m.with(t, pinned, "deploy:env", "tidy").Exits(t, 0)
		m.manifest(t, "tidy", stack(on("near", "good2")))
		m.with(t, []string{"SERVER_HOST=local", "DOCKER_HOST=" + m.docker.Host}, "deploy:env", "tidy").Exits(t, 0).
			Says(t, "note: unused images and stopped containers were not collected on far, near: other nodes are reached through a server over SSH only", "release 5: done")
		r.Says(t, "warning: unused images and stopped containers on near were not collected: ", "cannot reach it: Connection refused", "release 4: done")
	})
}

func TestALostQuorumIsSaidBeforeAnythingIsWritten(t *testing.T) {
	m := newMachines(t)
	other := m.join(t, "other", swarm.NodeRoleManager)
	m.manifest(t, "dev", stack(service("web", "good")))
	eventually(t, "the other is a manager", func() bool {
		_, err := other.Client.NodeList(t.Context(), client.NodeListOptions{})
		return err == nil
	})
	before := m.versions(t)
	other.Kill()
	eventually(t, "the quorum is lost", func() bool {
		info, err := m.docker.Client.Info(t.Context(), client.InfoOptions{})
		return err == nil && info.Info.Swarm.Error != ""
	})
	m.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "has no leader", "too few of its managers are up")
	other.Up()
	eventually(t, "the quorum is back", func() bool {
		_, err := m.docker.Client.NodeList(t.Context(), client.NodeListOptions{})
		return err == nil
	})
	if after := m.versions(t); !maps.Equal(before, after) {
		t.Errorf("something was written: before %v, after %v", before, after)
	}
	m.slipway(t, "deploy:env", "dev").Exits(t, 0)
}
