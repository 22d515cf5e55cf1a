package dockerd

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// network is where a daemon lives: a network namespace of its own, or the machine's (nil).
type network struct {
	namespace *os.File
	forwards  []net.Listener
}

func newNetwork(options Options, ip string) (*network, error) {
	if options.HostNetwork {
		return nil, nil
	}
	n, err := newNamespace()
	if err != nil {
		return nil, err
	}
	if options.Lan != nil {
		if err := options.Lan.plug(n, ip); err != nil {
			n.close()
			return nil, err
		}
	}
	reach := slices.Concat(options.Mirrors, options.InsecureRegistries, options.Reach)
	slices.Sort(reach)
	for _, address := range slices.Compact(reach) {
		if err := n.forward(address); err != nil {
			n.close()
			return nil, fmt.Errorf("letting the daemon reach %s: %w", address, err)
		}
	}
	return n, nil
}

// onThread runs do on a thread of its own that ends with it, whatever do changes there.
func onThread(do func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		result <- do()
	}()
	return <-result
}

// enter moves the calling thread, which must be locked, into the network.
func (n *network) enter() error {
	if n == nil {
		return nil
	}
	return os.NewSyscallError("setns", unix.Setns(int(n.namespace.Fd()), unix.CLONE_NEWNET))
}

func (n *network) close() {
	if n == nil {
		return
	}
	for _, listener := range n.forwards {
		_ = listener.Close()
	}
	_ = n.namespace.Close()
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return os.NewSyscallError("SIOCSIFFLAGS", unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request))
}

// forward listens on address inside the network and joins each connection to the same
// address outside.
func (n *network) forward(address string) error {
	var inside net.Listener
	err := onThread(func() (err error) {
		if err := n.enter(); err != nil {
			return err
		}
		inside, err = net.Listen("tcp4", address)
		return err
	})
	if err != nil {
		return err
	}
	n.forwards = append(n.forwards, inside)
	go func() {
		for {
			conn, err := inside.Accept()
			if err != nil {
				return // closed
			}
			go join(conn.(*net.TCPConn), address)
		}
	}()
	return nil
}

// join copies both ways until both ends have closed. If nobody listens outside, the caller
// sees a reset, the nearest thing to a refusal once a connection is accepted.
func join(inside *net.TCPConn, address string) {
	defer inside.Close()
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		_ = inside.SetLinger(0)
		return
	}
	outside := conn.(*net.TCPConn)
	defer outside.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(outside, inside)
		_ = outside.CloseWrite()
	}()
	_, _ = io.Copy(inside, outside)
	_ = inside.CloseWrite()
	<-sent
}

// Dial connects to an IP address and port as the daemon's machine would: to a published
// port on 127.0.0.1, or to a container. It fits http.Transport's DialContext.
func (d *Daemon) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	n, up := d.network, d.process != nil
	d.mu.Unlock()
	if !up {
		return nil, fmt.Errorf("dialling %s: the Docker daemon is down", address)
	}
	var conn net.Conn
	err := onThread(func() (err error) {
		if err := n.enter(); err != nil {
			return err
		}
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}
