package registry

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// heldPort is a port bound and not listening: connections are refused, and no other
// process is given the port while the registry is down.
type heldPort struct{ fd int }

func holdPort(address string) (*heldPort, error) {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// Connections that were cut linger in TIME_WAIT and would make bind fail.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return &heldPort{fd: fd}, nil
}

// listen turns the held port into a listener.
func (h *heldPort) listen() (net.Listener, error) {
	if err := unix.Listen(h.fd, unix.SOMAXCONN); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	file := os.NewFile(uintptr(h.fd), "registry")
	defer file.Close() // net.FileListener works on a duplicate
	return net.FileListener(file)
}

func (h *heldPort) release() {
	if h != nil {
		_ = unix.Close(h.fd)
	}
}
