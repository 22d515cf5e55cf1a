package ssh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Client is a connection to a server. Its methods may be called at the same time.
type Client struct {
	options Options
	inner   *ssh.Client
	jump    *Client
	network <-chan struct{} // closed when nothing more comes; done follows

	sessions *gate
	sockets  *gate

	close sync.Once
	done  chan struct{} // closed when the connection is gone

	mu       sync.Mutex
	lost     error       // why it is gone; nil while it is there, and after Close
	closed   bool        // by Close
	forwards forwardMode // whether the server forwards sockets
}

func newClient(o Options, inner *ssh.Client, network <-chan struct{}, jump *Client) *Client {
	c := &Client{
		options: o, inner: inner, jump: jump, network: network, done: make(chan struct{}),
		sessions: newGate(o.MaxSessions), sockets: newGate(maxSockets),
	}
	go c.watch()
	go c.keepAlive()
	return c
}

// String names the server: "deploy@host".
func (c *Client) String() string { return c.options.String() }

// Done is closed when the connection is gone, by Close or by the server or the network.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the connection is gone, as ErrLost with a sentence; nil while it is there and
// after Close.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Close ends the connection with all that goes over it, and the jump hosts'. Calling it
// again does nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	<-c.done
	return nil
}

// end closes what the connection is made of; watch then does the rest.
func (c *Client) end() {
	c.close.Do(func() {
		_ = c.inner.Close() // the error would be that the network was faster
		if c.jump != nil {
			_ = c.jump.Close()
		}
	})
}

// watch waits for the end of the connection, whoever makes it.
func (c *Client) watch() {
	err := c.inner.Wait()
	c.fail(fmt.Sprintf("the SSH connection to %s was lost: %v", c, err), err)
	c.end()
	close(c.done)
}

// fail keeps the first reason for the connection's end.
func (c *Client) fail(sentence string, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == nil && !c.closed {
		c.lost = &problem{ErrLost, sentence, cause}
	}
}

// keepAlive asks the server whether it is there. OpenSSH answers the request with a
// failure, which is an answer.
func (c *Client) keepAlive() {
	tick := time.NewTicker(c.options.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _, _ = c.inner.SendRequest("keepalive@openssh.com", true, nil) // an error is an end, which watch sees
		}()
		patience := time.NewTimer(2 * c.options.KeepAlive)
		select {
		case <-answered:
			patience.Stop()
		case <-patience.C:
			c.fail(fmt.Sprintf("the SSH connection to %s was lost: the server has not answered for %s", c, 2*c.options.KeepAlive), nil)
			c.end()
			return
		}
	}
}

// gone turns an error of a channel into the reason for it, where the connection has ended.
func (c *Client) gone(err error) error {
	// A channel ends a moment before the connection is known to have, so look at the network.
	select {
	case <-c.network:
		<-c.done
	case <-c.done:
	default:
		return err
	}
	if lost := c.Err(); lost != nil {
		return lost
	}
	return &problem{ErrLost, fmt.Sprintf("the SSH connection to %s is closed", c), err}
}

// session opens a channel for a command or subsystem, waiting while as many as allowed are
// open. A server that allows fewer than Options.MaxSessions says so by refusing; the bound
// then follows it. release is to be called once the session is closed.
func (c *Client) session(ctx context.Context) (session *ssh.Session, release func(), err error) {
	for attempt := 1; ; attempt++ {
		if err := c.sessions.enter(ctx, c.done); err != nil {
			return nil, nil, c.explainGate(err)
		}
		session, err := c.newSession(ctx)
		if err == nil {
			return session, sync.OnceFunc(c.sessions.leave), nil
		}
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) || attempt == attempts {
			c.sessions.leave()
			if refused != nil {
				return nil, nil, fmt.Errorf("opening a session on %s: the server refused it %d times (%q); its sshd_config may set MaxSessions too low", c, attempts, refused.Message)
			}
			return nil, nil, fmt.Errorf("opening a session on %s: %w", c, c.gone(err))
		}
		// What has just been closed here may still count there, so try again even with none open.
		c.sessions.leaveBelow()
		if err := c.options.Wait(ctx, time.Duration((0.5+c.options.Random()/2)*float64(100*time.Millisecond))); err != nil {
			return nil, nil, err
		}
	}
}

// newSession is the library's, which knows no context.
func (c *Client) newSession(ctx context.Context) (*ssh.Session, error) {
	type result struct {
		session *ssh.Session
		err     error
	}
	opened := make(chan result, 1)
	go func() {
		session, err := c.inner.NewSession()
		opened <- result{session, err}
	}()
	select {
	case r := <-opened:
		return r.session, r.err
	case <-ctx.Done():
		go func() {
			if r := <-opened; r.err == nil {
				_ = r.session.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (c *Client) explainGate(err error) error {
	if errors.Is(err, errGateDone) {
		return c.gone(err)
	}
	return fmt.Errorf("waiting for a free channel on the SSH connection to %s: %w", c, err)
}
