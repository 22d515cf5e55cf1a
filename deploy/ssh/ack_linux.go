package ssh

import (
	"net"
	"syscall"
)

// prompt is a connection that acknowledges at once what it reads. sshd leaves Nagle's algorithm
// on for what is not a terminal (OpenSSH, packet.c: ssh_packet_set_interactive), so that each
// answer in more than one part would otherwise wait 40 ms for the kernel's delayed
// acknowledgement.
type prompt struct {
	net.Conn
	raw syscall.RawConn
}

func promptly(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	p := &prompt{c, raw}
	p.acknowledge()
	return p
}

// Read asks for the next acknowledgement too: the kernel goes back to delaying by itself
// (tcp(7), TCP_QUICKACK).
func (p *prompt) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.acknowledge()
	return n, err
}

func (p *prompt) acknowledge() {
	_ = p.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
