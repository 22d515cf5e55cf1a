package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// manager is a node that is well.
func manager(name string) swarm.Node {
	n := swarm.Node{ID: name, Description: swarm.NodeDescription{Hostname: name}}
	n.Spec.Role, n.Status.State = swarm.NodeRoleManager, swarm.NodeStateReady
	n.ManagerStatus = &swarm.ManagerStatus{Reachability: swarm.ReachabilityReachable}
	return n
}

func worker(name string) swarm.Node {
	n := manager(name)
	n.Spec.Role, n.ManagerStatus = swarm.NodeRoleWorker, nil
	return n
}

// web is a service that is well.
func web() swarm.Service {
	s := swarm.Service{ID: "web1"}
	s.Spec.Name, s.Spec.Mode.Replicated = "shop_web", &swarm.ReplicatedService{}
	s.Spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Image: "r.example/web:1@sha256:aa", Healthcheck: &container.HealthConfig{Test: []string{"CMD", "true"}}}
	s.UpdatedAt = now.Add(-time.Hour)
	return s
}

// well is a Swarm of three managers and a worker with which nothing is wrong.
func well() Facts {
	f := Facts{Now: now, State: &live.State{
		Nodes:    []swarm.Node{manager("a"), manager("b"), manager("c"), worker("w")},
		Services: []swarm.Service{web()},
	}, Hosts: map[string]Host{}, Healthy: map[string]bool{}}
	for _, n := range f.State.Nodes {
		f.Hosts[n.ID] = Host{Disk: 100 << 30, DiskFree: 50 << 30, Memory: 8 << 30, Available: 4 << 30, MTU: 1500}
	}
	return f
}

// lines are findings without why and what to do, which must be there.
func lines(t *testing.T, found []Finding) string {
	t.Helper()
	var out []string
	for _, f := range found {
		if f.Why == "" || f.Do == "" || f.Object == "" {
			t.Errorf("%+v does not say all", f)
		}
		out = append(out, f.Rule+": "+f.What)
	}
	return strings.Join(out, "\n")
}

func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	alone := well()
	alone.State.Nodes = alone.State.Nodes[:1]
	for name, f := range map[string]Facts{"four nodes": well(), "one node": alone, "nothing known": {Now: now, State: &live.State{}}} {
		if found := Diagnose(f); len(found) != 0 {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}

func TestEachThingThatIsWrongIsFound(t *testing.T) {
	for want, change := range map[string]func(*Facts){
		"quorum: the Swarm has two managers": func(f *Facts) { f.State.Nodes[2] = worker("c") },
		"quorum: the Swarm has 4 managers, an even number": func(f *Facts) {
			f.State.Nodes[3] = manager("w")
		},
		"providers: all 3 managers have the label provider=acme": func(f *Facts) {
			for i := range 3 {
				f.State.Nodes[i].Spec.Labels = map[string]string{"provider": "acme"}
			}
		},
		"": func(f *Facts) { // two of three elsewhere
			f.State.Nodes[0].Spec.Labels = map[string]string{"provider": "acme"}
			f.State.Nodes[1].Spec.Labels = map[string]string{"provider": "other"}
		},
		"nodes: the manager b is not reachable": func(f *Facts) {
			f.State.Nodes[1].ManagerStatus.Reachability = swarm.ReachabilityUnreachable
			f.State.Nodes[1].Status.State = swarm.NodeStateDown
		},
		"nodes: the node w is down (heartbeat failure)": func(f *Facts) {
			f.State.Nodes[3].Status = swarm.NodeStatus{State: swarm.NodeStateDown, Message: "heartbeat failure"}
		},
		"room: a has 5GiB left of its disk's 100GiB": func(f *Facts) { f.Hosts["a"] = Host{Disk: 100 << 30, DiskFree: 5 << 30} },
		"room: a has 512MiB left of its disk's 2GiB": func(f *Facts) { f.Hosts["a"] = Host{Disk: 2 << 30, DiskFree: 512 << 20} },
		"room: w has 256MiB of memory available of 8GiB": func(f *Facts) {
			f.Hosts["w"] = Host{Memory: 8 << 30, Available: 256 << 20}
		},
		"clocks: the clock of b is 3s ahead of the manager's":  func(f *Facts) { f.Hosts["b"] = Host{Ahead: 3 * time.Second} },
		"clocks: the clock of b is 1m40s behind the manager's": func(f *Facts) { f.Hosts["b"] = Host{Ahead: -100 * time.Second} },
		"mtu: the network of c carries packets of 1450 bytes, and these overlay networks make larger ones: ingress, shop_big": func(f *Facts) {
			f.Hosts["c"] = Host{MTU: 1450}
			f.State.Networks = []network.Summary{overlay("ingress", ""), overlay("shop_big", "1500"), overlay("shop_right", "1450")}
		},
		"authority: the certificate of the Swarm's own authority expires on 2027-01-04, in 40 days": func(f *Facts) {
			f.Cluster.TLSInfo.TrustRoot = string(certificate(t, "swarm-ca", now.Add(40*24*time.Hour)))
		},
		"authority: the Swarm is changing its authority, and has not finished": func(f *Facts) { f.Cluster.RootRotationInProgress = true },
		"certificates: the certificate that shop_web shows on port 443 (for shop.example) has expired on 2026-11-24": func(f *Facts) {
			f.Served = []Served{{Service: "shop_web", Port: 443, Leaf: parsePEM(certificate(t, "shop.example", now.Add(-24*time.Hour)))[0]}}
		},
		"certificates: the certificate in the config shop_ca_1 (for ca.example) expires on 2026-11-30, in 5 days": func(f *Facts) {
			c := config("shop_ca_1", now.Add(-48*time.Hour))
			c.Spec.Data = append([]byte("# our authority\n"), certificate(t, "ca.example", now.Add(5*24*time.Hour))...)
			f.State.Configs = []swarm.Config{c}
			f.State.Services[0].Spec.TaskTemplate.ContainerSpec.Configs = []*swarm.ConfigReference{{ConfigID: c.ID}}
		},
		"pulls: on w: there is no way": func(f *Facts) {
			f.Pulls = []Pull{{Node: "w", Image: "r.example/web:1@sha256:aa", Err: "there is no way"}}
		},
		"credentials: a task of shop_web could not pull its image, which can be pulled with the credentials that are set here": func(f *Facts) {
			f.Pulls, f.Ended = []Pull{{Node: "a", Image: "r.example/web:1@sha256:aa"}}, []swarm.Task{refused(now.Add(-time.Minute))}
		},
		"health: shop_web has no health check, and its image brings none": func(f *Facts) {
			f.State.Services[0].Spec.TaskTemplate.ContainerSpec.Healthcheck = nil
			f.Healthy["r.example/web:1@sha256:aa"] = false
		},
		"locks: the lock slipway-lock of anna (deploy) has not been kept alive for 10m0s": func(f *Facts) {
			f.State.Configs = []swarm.Config{lockOf(now.Add(-10 * time.Minute))}
		},
		"orphans: the stack shop has 2 configs that no service uses and no release needs: shop_a, shop_b": func(f *Facts) {
			f.State.Configs = []swarm.Config{config("shop_a", now.Add(-48*time.Hour)), config("shop_b", now.Add(-48*time.Hour)), config("shop_new", now.Add(-time.Minute))}
		},
	} {
		f := well()
		change(&f)
		if got := lines(t, Diagnose(f)); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestWhatOnlyLooksWrongIsNotFound(t *testing.T) {
	for name, change := range map[string]func(*Facts){
		"a refused task from before the last update": func(f *Facts) {
			f.Pulls, f.Ended = []Pull{{Node: "a", Image: "r.example/web:1@sha256:aa"}}, []swarm.Task{refused(now.Add(-2 * time.Hour))}
		},
		"no health check, on purpose": func(f *Facts) {
			f.State.Services[0].Spec.TaskTemplate.ContainerSpec.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
		},
		"a health check of the image's": func(f *Facts) {
			f.State.Services[0].Spec.TaskTemplate.ContainerSpec.Healthcheck = nil
			f.Healthy["r.example/web:1@sha256:aa"] = true
		},
		"a job without a health check": func(f *Facts) {
			f.State.Services[0].Spec.TaskTemplate.ContainerSpec.Healthcheck = nil
			f.State.Services[0].Spec.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}}
		},
		"a lock that is kept alive": func(f *Facts) { f.State.Configs = []swarm.Config{lockOf(now.Add(-20 * time.Second))} },
		"a network of a single machine": func(f *Facts) {
			f.State.Nodes, f.Hosts["a"] = f.State.Nodes[:1], Host{MTU: 1400}
			f.State.Networks = []network.Summary{overlay("ingress", "")}
		},
		"a certificate in a config that nothing uses": func(f *Facts) {
			c := config("other", now.Add(-time.Minute))
			c.Spec.Data = certificate(t, "x.example", now)
			f.State.Configs = []swarm.Config{c}
		},
	} {
		f := well()
		change(&f)
		if found := Diagnose(f); len(found) != 0 {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}

func TestClocksAreComparedWithinWhatAnAnswerTakes(t *testing.T) {
	// The manager's clock showed 12:00:00 when ours showed 12:00:10. The node was asked from
	// 12:00:20 to 12:00:21 by ours, so that the manager's went from 12:00:10 to 12:00:11.
	asked, began := now.Add(10*time.Second), now.Add(20*time.Second)
	for there, want := range map[time.Duration]time.Duration{10500 * time.Millisecond: 0, 9 * time.Second: -time.Second, 15 * time.Second: 4 * time.Second} {
		if got := skew(now.Add(there), began, began.Add(time.Second), now, asked); got != want {
			t.Errorf("at %s: got %s, want %s", there, got, want)
		}
	}
}

func TestAMachinesAnswersAreRead(t *testing.T) {
	var h Host
	parseProbe(&h, `/dev/vda 263174212 125829120 126353408 50% /
MemTotal:       24684084 kB
MemFree:         1000000 kB
MemAvailable:   12342042 kB
mtu eth0 1500
mtu eth1 1450
1: lo    inet 127.0.0.1/8 scope host lo
2: eth0    inet 203.0.113.7/24 brd 203.0.113.255 scope global eth0
3: eth1    inet 10.0.0.2/24 scope global eth1
`, "10.0.0.2")
	if want := (Host{Disk: 263174212 << 10, DiskFree: 126353408 << 10, Memory: 24684084 << 10, Available: 12342042 << 10, MTU: 1450}); h != want {
		t.Errorf("got %+v, want %+v", h, want)
	}
	h = Host{}
	if parseProbe(&h, "sh: df: not found\n", "10.0.0.2"); h != (Host{}) {
		t.Errorf("nothing was read as %+v", h)
	}
}

func overlay(name, mtu string) network.Summary {
	n := network.Summary{Network: network.Network{Name: name, Driver: "overlay"}}
	if mtu != "" {
		n.Options = map[string]string{optionMTU: mtu}
	}
	return n
}

func config(name string, made time.Time) swarm.Config {
	c := swarm.Config{ID: "id of " + name, Meta: swarm.Meta{CreatedAt: made, UpdatedAt: made}}
	c.Spec.Name, c.Spec.Labels = name, map[string]string{"com.docker.stack.namespace": "shop"}
	return c
}

func lockOf(beat time.Time) swarm.Config {
	c := config("slipway-lock", beat)
	c.Spec.Labels = map[string]string{"slipway.lock.who": "anna", "slipway.lock.reason": "deploy", "slipway.lock.token": "t", "slipway.lock.lease": "30000"}
	return c
}

func refused(at time.Time) swarm.Task {
	t := swarm.Task{ServiceID: "web1", Status: swarm.TaskStatus{Timestamp: at, State: swarm.TaskStateRejected, Err: "No such image: r.example/web:1@sha256:aa"}}
	t.Spec.ContainerSpec = &swarm.ContainerSpec{Image: "r.example/web:1@sha256:aa"}
	return t
}

func certificate(t *testing.T, name string, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: now.Add(-1000 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
