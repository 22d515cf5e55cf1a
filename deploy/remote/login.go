package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"slipway/deploy/ssh"
)

// login keeps one SSH connection, and makes another when that is lost.
type login struct {
	options ssh.Options
	turn    chan struct{} // held by who looks at or changes what follows; a lock that a context can leave
	current *ssh.Client
	closed  bool
}

func newLogin(o ssh.Options) *login {
	return &login{options: o, turn: make(chan struct{}, 1)}
}

func (l *login) client(ctx context.Context) (*ssh.Client, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("connecting to %s over SSH: %w", l.options, ctx.Err())
	}
	if l.closed {
		return nil, fmt.Errorf("the SSH connection to %s is closed", l.options)
	}
	if l.current != nil {
		select {
		case <-l.current.Done():
			l.current = nil
		default:
			return l.current, nil
		}
	}
	made, err := ssh.Dial(ctx, l.options)
	if err != nil {
		return nil, err
	}
	l.current = made
	return made, nil
}

// dial connects to a Docker socket there. A connection that turns out to be lost only now
// is replaced once.
func (l *login) dial(ctx context.Context, socket string) (net.Conn, error) {
	for again := false; ; again = true {
		over, err := l.client(ctx)
		if err != nil {
			return nil, legible(err)
		}
		conn, err := over.DialSocket(ctx, socket)
		if err == nil {
			return &legibleConn{conn}, nil
		}
		if again || !errors.Is(err, ssh.ErrLost) {
			return nil, legible(err)
		}
	}
}

func (l *login) close() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.closed = true
	if l.current != nil {
		_ = l.current.Close()
		l.current = nil
	}
}

// The Docker client drops errors whose text has one of these phrases, for "Is the docker
// daemon running?" (doRequest in its request.go); what is lost so is the reason.
var swallowed = strings.NewReplacer("dial unix ", "unix ", "connection refused", "refused")

// legibleError keeps an error's text through the Docker client.
type legibleError struct{ error }

func (l legibleError) Error() string { return swallowed.Replace(l.error.Error()) }
func (l legibleError) Unwrap() error { return l.error }

func legible(err error) error { return legibleError{err} }

type legibleConn struct{ net.Conn }

func (c *legibleConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if _, ok := err.(*ssh.CommandError); ok { //nolint:errorlint // io.EOF and the like pass as they are
		err = legible(err)
	}
	return n, err
}

// CloseWrite is what the Docker client calls when an attached container gets no more input.
func (c *legibleConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
