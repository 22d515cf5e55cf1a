package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// attempts bounds how often a server is tried that hangs up before it has said who it is,
// as sshd does when more than MaxStartups are logging in. With backoff it gives up after
// about ten seconds.
const attempts = 8

// Dial connects and logs in. Each error is a sentence and one of ErrHostKey, ErrDenied and
// ErrUnreachable, or ctx's own. Bad options are neither.
func Dial(ctx context.Context, options Options) (*Client, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	o := options.withDefaults()
	pinned, err := parseKnownHosts(o.KnownHosts)
	if err != nil {
		return nil, err
	}
	login, err := loadCredentials(ctx, o)
	if err != nil {
		return nil, err
	}
	defer login.close()
	var jump *Client
	if o.Jump != nil {
		if jump, err = Dial(ctx, *o.Jump); err != nil {
			return nil, fmt.Errorf("going to %s through a jump host: %w", o, err)
		}
	}
	client, err := retry(ctx, o, func() (*Client, error) { return connect(ctx, o, jump, pinned, login) })
	if err != nil && jump != nil {
		_ = jump.Close()
	}
	return client, err
}

// retry tries again after a hang-up, each time after a random part of twice the time.
func retry(ctx context.Context, o Options, try func() (*Client, error)) (*Client, error) {
	pause := 200 * time.Millisecond
	for attempt := 1; ; attempt++ {
		client, err := try()
		var hungUp *hangUp
		if err == nil || !errors.As(err, &hungUp) {
			return client, err
		}
		if attempt == attempts {
			return nil, &problem{ErrUnreachable, fmt.Sprintf("connecting to %s over SSH: the server hung up %d times before it said who it is%s. Either too many are logging in at once (MaxStartups), it blocks this address, or what listens on port %d is not sshd",
				o, attempts, hungUp.said(), o.port()), hungUp.cause}
		}
		if err := o.Wait(ctx, time.Duration((0.5+o.Random()/2)*float64(pause))); err != nil {
			return nil, fmt.Errorf("connecting to %s over SSH: %w", o, err)
		}
		pause = min(2*pause, 3*time.Second)
	}
}

// hangUp is an end of the connection before the server's version line.
type hangUp struct {
	heard string
	cause error
}

func (h *hangUp) Error() string { return "the server hung up: " + h.cause.Error() }

func (h *hangUp) said() string {
	if h.heard == "" {
		return ""
	}
	return fmt.Sprintf(" (it said %q)", h.heard)
}

// connect is one attempt.
func connect(ctx context.Context, o Options, jump *Client, pinned *pins, login *credentials) (*Client, error) {
	attempt, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := open(attempt, o, jump)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connecting to %s over SSH: %w", o, ctx.Err())
		}
		return nil, err
	}
	heard := &listener{Conn: conn, ended: make(chan struct{})}
	// The library knows no context: a closed connection ends what it does.
	stop := context.AfterFunc(attempt, func() { _ = conn.Close() })
	strong := ssh.SupportedAlgorithms() // the library's defaults have weak ones among them
	inner, channels, requests, err := ssh.NewClientConn(heard, o.Address(), &ssh.ClientConfig{
		Config: ssh.Config{KeyExchanges: strong.KeyExchanges, Ciphers: strong.Ciphers, MACs: strong.MACs},
		User:   o.User, HostKeyAlgorithms: pinned.algorithms(o), HostKeyCallback: pinned.check(o),
		Auth: []ssh.AuthMethod{ssh.PublicKeys(login.signers...)},
	})
	if !stop() && err == nil { // the time was up just now, and conn is closed
		err = attempt.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, explainHandshake(ctx, o, heard, login, err)
	}
	return newClient(o, ssh.NewClient(inner, channels, requests), heard.ended, jump), nil
}

// open makes the connection that SSH is spoken on, directly or through jump.
func open(ctx context.Context, o Options, jump *Client) (net.Conn, error) {
	if jump == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", o.Address())
		if err != nil {
			return nil, explainDial(o, err)
		}
		return promptly(conn), nil
	}
	conn, err := jump.inner.DialContext(ctx, "tcp", o.Address())
	var closed *ssh.OpenChannelError
	switch {
	case err == nil:
		return conn, nil
	case errors.As(err, &closed) && closed.Reason == ssh.Prohibited:
		return nil, &problem{ErrUnreachable, fmt.Sprintf("connecting to %s over SSH: the jump host %s forbids forwarding; its sshd_config needs AllowTcpForwarding yes or local", o, jump), err}
	case errors.As(err, &closed):
		return nil, &problem{ErrUnreachable, fmt.Sprintf("connecting to %s over SSH: the jump host %s cannot reach it: %s", o, jump, closed.Message), err}
	}
	return nil, explainDial(o, err)
}

// explainHandshake says why a connection that was made did not become a login.
func explainHandshake(ctx context.Context, o Options, heard *listener, login *credentials, err error) error {
	var known *problem
	var negotiation *ssh.AlgorithmNegotiationError
	say := func(kind error, format string, a ...any) error {
		return &problem{kind, "connecting to " + o.String() + " over SSH: " + fmt.Sprintf(format, a...), err}
	}
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return fmt.Errorf("connecting to %s over SSH: %w", o, ctx.Err())
	case errors.As(err, &negotiation) && negotiation.What == "host key":
		return noCommonKey(o, negotiation)
	case errors.As(err, &negotiation):
		return say(ErrUnreachable, "no %s in common: the server has %s, this program %s; update the server's OpenSSH",
			negotiation.What, strings.Join(negotiation.RequestedAlgorithms, ", "), strings.Join(negotiation.SupportedAlgorithms, ", "))
	case strings.Contains(err.Error(), "unable to authenticate"):
		return refused(o, login.signers, err)
	case strings.Contains(err.Error(), "Too many authentication failures"):
		return &problem{ErrDenied, fmt.Sprintf("logging in to %s over SSH: the agent holds %d keys, and the server gave up before the right one; set SSH_KEY to that one", o, len(login.signers)), err}
	case strings.HasPrefix(heard.line(), "SSH-"):
		return say(ErrUnreachable, "the server ended the login or did not answer within %s: %s", o.Timeout, strings.TrimPrefix(err.Error(), "ssh: handshake failed: "))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &hangUp{heard.line(), err}
	case heard.line() != "":
		return say(ErrUnreachable, "what listens on port %d is not sshd (it said %q); check the port", o.port(), heard.line())
	}
	return say(ErrUnreachable, "port %d is open, but no SSH server answers there within %s; check the port", o.port(), o.Timeout)
}

// listener keeps the first bytes that a server sends, for messages: before its version line
// sshd says there why it hangs up, and what is not sshd gives itself away. It also tells
// the end of the network's connection from that of a channel.
type listener struct {
	net.Conn
	mu    sync.Mutex
	first []byte
	once  sync.Once
	ended chan struct{} // closed at the first error of a read
}

func (l *listener) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if err != nil {
		l.once.Do(func() { close(l.ended) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := 200 - len(l.first); room > 0 {
		l.first = append(l.first, b[:min(n, room)]...)
	}
	return n, err
}

// Write ends the connection at an error: the library would go on waiting for an answer.
func (l *listener) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	if err != nil {
		l.once.Do(func() { close(l.ended) })
		_ = l.Close()
	}
	return n, err
}

func (l *listener) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, _, _ := strings.Cut(string(l.first), "\n")
	return strings.TrimSpace(line)
}
