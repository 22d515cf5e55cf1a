package dockerd

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
)

// Machine is a place on a Lan without a daemon of this package's: a host that boots there, or
// whoever calls from outside.
type Machine struct {
	// IP is its address on the Lan.
	IP string

	network *network
}

// Machine makes one that lasts as long as the test. It reaches these addresses on this machine's
// 127.0.0.1 under the same address, as Options.Reach has it.
func (l *Lan) Machine(t testing.TB, reach ...string) *Machine {
	t.Helper()
	n, err := newNamespace()
	if err != nil {
		t.Fatalf("making a machine on a network: %v", err)
	}
	t.Cleanup(n.close)
	m := &Machine{IP: l.address(), network: n}
	if err := l.plug(n, m.IP); err != nil {
		t.Fatalf("making a machine on a network: %v", err)
	}
	reach = slices.Clone(reach)
	slices.Sort(reach)
	for _, address := range slices.Compact(reach) {
		if err := n.forward(address); err != nil {
			t.Fatalf("letting a machine reach %s: %v", address, err)
		}
	}
	return m
}

// Enter moves the calling thread, which must be locked and never used for anything else again,
// into the machine's network.
func (m *Machine) Enter() error { return m.network.enter() }

// Dial connects as the machine would.
func (m *Machine) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = onThread(func() (err error) {
		if err := m.network.enter(); err != nil {
			return err
		}
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dialling %s as %s would: %w", address, m.IP, err)
	}
	return conn, nil
}
