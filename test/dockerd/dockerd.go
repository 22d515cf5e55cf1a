// Package dockerd runs real Docker daemons for tests, each as if on a machine of its own.
//
// A daemon gets its own process, mount and (unless told otherwise) network namespace, so
// that several run side by side with their own docker0, iptables rules and Swarm, none
// touches the machine's, and one signal ends a daemon with its containerd, shims, containers,
// mounts and bridges, even if the test binary is killed. It needs root.
package dockerd

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"slipway/test/aptget"
	"slipway/test/cachedir"
	"slipway/test/child"
)

// Options say what the daemon can reach; the zero value reaches nothing but itself.
type Options struct {
	// Mirrors stand in for Docker Hub: addresses of plain-HTTP registries ("127.0.0.1:41234").
	Mirrors []string
	// InsecureRegistries are addresses of registries without TLS. Those on 127.0.0.1 need not
	// be named to be trusted, only to be reached: see Reach.
	InsecureRegistries []string
	// Reach lists further addresses on this machine's 127.0.0.1 that the daemon reaches under
	// the same address. Those of Mirrors and InsecureRegistries are included.
	Reach []string
	// HostNetwork runs the daemon in the machine's network, without a bridge and without
	// iptables: for builds that download, with network mode host. Published ports and Swarm
	// need the daemon's own network.
	HostNetwork bool
	// Lan connects the daemon to others, at the address Daemon.IP.
	Lan *Lan
	// Hostname is what the daemon calls its machine; unset, by this machine's name.
	Hostname string
}

// Daemon is a running Docker daemon.
type Daemon struct {
	// Host is what DOCKER_HOST takes: "unix:///…/docker.sock".
	Host string
	// Client talks to it.
	Client *client.Client
	// IP is its address on Options.Lan, "" without one.
	IP string

	t       testing.TB
	dir     string
	options Options

	mu      sync.Mutex
	network *network
	process *child.Process // the first of its namespaces, nil while down
}

// Start runs a daemon until the test ends, installing Docker from Debian where it is missing.
// It is ready when Start returns. If the test fails, the end of its log is shown.
func Start(t testing.TB, options Options) *Daemon {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a Docker daemon for tests needs namespaces, mounts and cgroups: run the tests as root")
	}
	aptget.Need(t, "dockerd", "docker.io")
	aptget.Need(t, "tini", "tini") // a dependency of Debian's Docker, not of others
	d := &Daemon{t: t, options: options, dir: cachedir.Run(t, "dockerd", remove)}
	d.Host = "unix://" + filepath.Join(d.dir, "docker.sock")
	docker, err := client.New(client.WithHost(d.Host))
	if err != nil {
		t.Fatalf("making a client for %s: %v", d.Host, err)
	}
	d.Client = docker
	if options.Lan != nil {
		d.IP = options.Lan.address()
	}
	t.Cleanup(func() {
		_ = docker.Close()
		d.Kill()
		if t.Failed() {
			t.Logf("the Docker daemon's log ends with:\n%s", d.LogTail(60))
		}
	})
	began := time.Now()
	d.Up()
	t.Logf("Docker daemon ready in %s", time.Since(began).Round(10*time.Millisecond))
	return d
}

// Up starts the daemon after Down or Kill, on the same data, as a machine that boots.
func (d *Daemon) Up() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		return
	}
	var err error
	if d.network, err = newNetwork(d.options, d.IP); err != nil {
		d.t.Fatalf("making a network for a Docker daemon: %v", err)
	}
	if err := d.launch(); err != nil {
		d.network.close()
		d.t.Fatalf("starting a Docker daemon in %s: %v\n%s", d.dir, err, d.LogTail(40))
	}
}

// Down ends the daemon as a machine that shuts down: containers are stopped first.
func (d *Daemon) Down() { d.end(shutDown) }

// Kill ends the daemon and its containers at once, as a machine that loses power.
func (d *Daemon) Kill() { d.end((*child.Process).Kill) }

func (d *Daemon) end(how func(*child.Process)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process == nil {
		return
	}
	how(d.process)
	d.network.close()
	d.process, d.network = nil, nil
}
