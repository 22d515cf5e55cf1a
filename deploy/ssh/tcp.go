package ssh

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// DialTCP connects to "host:port" as the server reaches it (RFC 4254, direct-tcpip). sshd may
// forbid that (AllowTcpForwarding).
func (c *Client) DialTCP(ctx context.Context, address string) (net.Conn, error) {
	if err := c.sockets.enter(ctx, c.done); err != nil {
		return nil, c.explainGate(err)
	}
	conn, err := c.inner.DialContext(ctx, "tcp", address)
	if err != nil {
		c.sockets.leave()
		return nil, fmt.Errorf("connecting to %s from %s: %w", address, c, c.gone(err))
	}
	return &socket{Conn: conn, client: c, release: sync.OnceFunc(c.sockets.leave)}, nil
}
