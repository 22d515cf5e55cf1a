package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// forwardMode is what is known about the server's AllowStreamLocalForwarding. sshd answers
// alike whether it forbids forwarding or the socket does not answer, so only a success,
// this way or the other, tells.
type forwardMode int

const (
	forwardUnknown forwardMode = iota
	forwardAllowed
	forwardForbidden
)

// DefaultDockerSocket is where a Docker daemon listens unless told otherwise.
const DefaultDockerSocket = "/var/run/docker.sock"

// DialSocket connects to a Docker daemon's unix socket on the server: forwarded by the
// server (direct-streamlocal@openssh.com, OpenSSH's PROTOCOL 2.4), or, where the server
// forbids that, through its docker command. Which way works is remembered.
//
// When the command fails, the connection's reads say why.
func (c *Client) DialSocket(ctx context.Context, path string) (net.Conn, error) {
	mode := c.mode()
	if mode != forwardForbidden {
		conn, err := c.forward(ctx, path)
		if err == nil {
			c.setMode(forwardAllowed)
			return conn, nil
		}
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) {
			return nil, err
		}
		if mode == forwardAllowed {
			return nil, fmt.Errorf("nothing answers at %s on %s (%s); look there with: systemctl status docker", path, c, refused.Message)
		}
	}
	conn, err := c.dialStdio(ctx, stdioCommand(path))
	if err != nil {
		return nil, err
	}
	conn.onData = sync.OnceFunc(func() { c.setMode(forwardForbidden) })
	return conn, nil
}

// stdioCommand names the socket, so that both ways lead to the same daemon whatever
// DOCKER_HOST or context the user has on the server.
func stdioCommand(path string) string {
	return "docker --host " + quote("unix://"+path) + " system dial-stdio"
}

// quote makes one word of text for a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (c *Client) mode() forwardMode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forwards
}

func (c *Client) setMode(mode forwardMode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forwards = mode
}

// Forwards reports whether the server has been found to forward sockets, and whether
// anything is known about it yet.
func (c *Client) Forwards() (forwards, known bool) {
	mode := c.mode()
	return mode == forwardAllowed, mode != forwardUnknown
}

func (c *Client) forward(ctx context.Context, path string) (net.Conn, error) {
	return c.tunnel(ctx, "unix", path, "on")
}

// tunnel has the server connect to an address that is on it, or is reached from it.
func (c *Client) tunnel(ctx context.Context, network, address, where string) (net.Conn, error) {
	if err := c.sockets.enter(ctx, c.done); err != nil {
		return nil, c.explainGate(err)
	}
	conn, err := c.inner.DialContext(ctx, network, address)
	if err != nil {
		c.sockets.leave()
		return nil, fmt.Errorf("connecting to %s %s %s: %w", address, where, c, c.gone(err))
	}
	return &socket{Conn: conn, client: c, release: sync.OnceFunc(c.sockets.leave)}, nil
}

// socket is a forwarded connection, which frees its place when it is closed.
type socket struct {
	net.Conn
	client  *Client
	release func()
}

func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err != nil {
		err = s.client.gone(err)
	}
	return n, err
}

// CloseWrite tells the daemon that there is no more input, as after `docker exec -i`.
func (s *socket) CloseWrite() error {
	half, ok := s.Conn.(interface{ CloseWrite() error })
	if !ok {
		return os.ErrInvalid
	}
	return half.CloseWrite()
}

func (s *socket) Close() error {
	defer s.release()
	return s.Conn.Close()
}
