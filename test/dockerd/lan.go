package dockerd

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"slipway/test/aptget"
)

// Lan is a network that several daemons are on, as machines on one switch: with it they can be
// nodes of one Swarm. The switch is in a network namespace of its own, and nothing of it is
// the machine's.
type Lan struct {
	bridge *network

	mu    sync.Mutex
	count int
}

// NewLan makes one that lasts as long as the test.
func NewLan(t testing.TB) *Lan {
	t.Helper()
	aptget.Need(t, "ip", "iproute2")
	bridge, err := newNamespace()
	if err != nil {
		t.Fatalf("making a network for several daemons: %v", err)
	}
	t.Cleanup(bridge.close)
	for _, args := range [][]string{{"link", "add", "br0", "type", "bridge"}, {"link", "set", "br0", "up"}} {
		if err := bridge.ip(args...); err != nil {
			t.Fatalf("making a network for several daemons: %v", err)
		}
	}
	return &Lan{bridge: bridge}
}

// address is the next free one.
func (l *Lan) address() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	return fmt.Sprintf("10.77.0.%d", l.count)
}

// plug puts a cable between the switch and a machine. It goes when either's namespace does.
func (l *Lan) plug(n *network, address string) error {
	l.mu.Lock()
	l.count++ // a new name each time: the kernel takes a moment to forget a cable
	port := fmt.Sprintf("port%d", l.count)
	l.mu.Unlock()
	inside := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.namespace.Fd())
	for _, args := range [][]string{
		{"link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", inside},
		{"link", "set", port, "master", "br0", "up"},
	} {
		if err := l.bridge.ip(args...); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"address", "add", address + "/24", "dev", "eth0"}, {"link", "set", "eth0", "up"}} {
		if err := n.ip(args...); err != nil {
			return err
		}
	}
	return nil
}

// ip runs the command of that name in the network.
func (n *network) ip(args ...string) error {
	return onThread(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
		return nil
	})
}

// newNamespace makes a network in which only loopback is.
func newNamespace() (*network, error) {
	n := &network{}
	return n, onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		var err error
		if n.namespace, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		return loopbackUp()
	})
}

// Enter moves the calling thread, which must be locked and never used for anything else
// again, into the daemon's network: what is started from it is on the daemon's machine.
func (d *Daemon) Enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process == nil {
		return fmt.Errorf("entering the network of a Docker daemon that is down")
	}
	return d.network.enter()
}
