package ssh

import (
	"context"
	"net"
)

// DialTCP connects to "host:port" as the server reaches it (RFC 4254, direct-tcpip). sshd may
// forbid that (AllowTcpForwarding).
func (c *Client) DialTCP(ctx context.Context, address string) (net.Conn, error) {
	return c.tunnel(ctx, "tcp", address, "from")
}
