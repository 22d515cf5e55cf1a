// Package host boots bare Debian hosts for tests, as a provider hands them over: systemd, sshd,
// sudo and apt, without Docker. Each has a root filesystem, a network and process ids of its own,
// and nothing of this machine's is changed. It needs root.
//
// What apt installs there comes from Debian, by way of a small repository on the host itself that
// has Docker, a registry and what they need: nothing is downloaded while a test runs.
package host

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/test/aptget"
	"slipway/test/cachedir"
	"slipway/test/child"
	"slipway/test/dockerd"
	"slipway/test/relay"
	"slipway/test/sshd"
)

// Options describe a host; the zero value is one on a network of its own.
type Options struct {
	// Name is what it calls itself: "host" unless given.
	Name string
	// Lan connects it to others.
	Lan *dockerd.Lan
	// Reach lists addresses on this machine's 127.0.0.1 that the host reaches under the same
	// address: registries of tests.
	Reach []string
	// Files are put there before it boots, by path.
	Files map[string]string
}

// Admins are the accounts of a bare host beside root: Admin may become root, and Clerk with the
// password ClerkPassword. All log in with Host.Key.
const (
	Admin         = "admin"
	Clerk         = "clerk"
	ClerkPassword = "s3cret of the clerk"
)

// Host is a running host.
type Host struct {
	// IP is its address on the Lan, and Port leads to its sshd from this machine's 127.0.0.1.
	IP   string
	Port int
	// Key is the private key that root and the admins log in with, and KnownHosts pins the
	// host's key for Address and for IP.
	Key        string
	KnownHosts string

	t       testing.TB
	root    string // the root filesystem that its own layer is over
	dir     string
	options Options
	machine *dockerd.Machine

	mu      sync.Mutex
	process *child.Process // the first of its namespaces, nil while down
	ways    map[string]net.Listener
}

// Start boots a host, which runs until the test ends. It is ready when its sshd answers.
func Start(t testing.TB, options Options) *Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a host for tests needs namespaces, mounts and cgroups: run the tests as root")
	}
	aptget.Need(t, "systemd-nspawn", "systemd-container")
	aptget.Need(t, "tini", "tini")
	aptget.Need(t, "nsenter", "util-linux")
	if options.Name == "" {
		options.Name = "host"
	}
	if options.Lan == nil {
		options.Lan = dockerd.NewLan(t)
	}
	root, err := rootfs(t)
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{t: t, root: root, options: options, dir: cachedir.Run(t, "host", remove), ways: map[string]net.Listener{}}
	h.machine = options.Lan.Machine(t, options.Reach...)
	h.IP = h.machine.IP
	if err := h.prepare(); err != nil {
		t.Fatalf("preparing a host: %v", err)
	}
	t.Cleanup(func() {
		h.Kill()
		for _, way := range h.ways {
			_ = way.Close()
		}
		if t.Failed() {
			t.Logf("the console of %s ends with:\n%s", options.Name, h.console(40))
		}
	})
	_, port, err := net.SplitHostPort(h.Lead("22"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(port, &h.Port); err != nil {
		t.Fatal(err)
	}
	h.pin()
	began := time.Now()
	h.Up()
	t.Logf("%s booted in %s", options.Name, time.Since(began).Round(10*time.Millisecond))
	return h
}

// Address is "127.0.0.1:PORT", where the host's sshd is reached from this machine.
func (h *Host) Address() string { return fmt.Sprintf("127.0.0.1:%d", h.Port) }

// SSHConfig are lines of ~/.ssh/config by which a name leads to the host from this machine.
func (h *Host) SSHConfig(name string) string {
	return fmt.Sprintf("Host %s\n    HostName 127.0.0.1\n    Port %d\n", name, h.Port)
}

// pin makes KnownHosts of the host's key.
func (h *Host) pin() {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.upper(), "etc/ssh/ssh_host_ed25519_key.pub"))
	if err != nil {
		h.t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		h.t.Fatal(err)
	}
	h.KnownHosts = sshd.KnownHostsLine(h.Address(), key) + sshd.KnownHostsLine(h.IP+":22", key)
}

// Up boots the host after Kill, with the disk as it was.
func (h *Host) Up() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process != nil {
		return
	}
	if err := h.boot(); err != nil {
		h.t.Fatalf("booting %s in %s: %v\n%s", h.options.Name, h.dir, err, h.console(60))
	}
}

// Kill ends the host at once, as one that loses power.
func (h *Host) Kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process != nil {
		h.process.Kill()
		h.process = nil
	}
}

// Dial connects to an IP address and port as the host would: to a port that a service publishes
// on 127.0.0.1, or to another host. It fits http.Transport's DialContext.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return h.machine.Dial(ctx, network, address)
}

// Enter moves the calling thread into the host's network, as dockerd.Machine has it.
func (h *Host) Enter() error { return h.machine.Enter() }

// Lead gives an address on this machine's 127.0.0.1 that leads to a port of the host's.
func (h *Host) Lead(port string) string {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if way := h.ways[port]; way != nil {
		return way.Addr().String()
	}
	way, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		h.t.Fatalf("making a way to a host: %v", err)
	}
	h.ways[port] = way
	go relay.Serve(way, func() (net.Conn, error) {
		return h.machine.Dial(context.Background(), "tcp4", net.JoinHostPort(h.IP, port))
	})
	return way.Addr().String()
}

// Must runs a script as root on the host, not by way of sshd, and gives what it wrote.
func (h *Host) Must(script string) string {
	h.t.Helper()
	out, err := h.Run(h.t.Context(), script)
	if err != nil {
		h.t.Fatalf("on %s: %s: %v\n%s", h.options.Name, script, err, out)
	}
	return strings.TrimSpace(out)
}
