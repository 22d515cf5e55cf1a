package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// DialStdio runs a command on the server and gives its standard input and output as a
// connection. When the command ends in failure, reads give what it wrote to its standard
// error. The connection has no deadlines.
func (c *Client) DialStdio(ctx context.Context, command string) (net.Conn, error) {
	conn, err := c.dialStdio(ctx, command)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (c *Client) dialStdio(ctx context.Context, command string) (*stdioConn, error) {
	session, release, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	conn := &stdioConn{client: c, session: session, release: release, command: command}
	session.Stderr = &conn.stderr
	conn.in, err = session.StdinPipe()
	if err == nil {
		conn.out, err = session.StdoutPipe()
	}
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	if err == nil {
		err = session.Start(command)
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = session.Close()
		release()
		return nil, fmt.Errorf("running %s on %s: %w", command, c, c.gone(err))
	}
	return conn, nil
}

type stdioConn struct {
	client  *Client
	session *ssh.Session
	release func()
	command string
	in      io.WriteCloser
	out     io.Reader
	stderr  tail
	onData  func()      // may be nil
	heard   atomic.Bool // something was read
	shut    atomic.Bool // CloseWrite was called
	wait    sync.Once
	failure error // of the command; set by wait
}

func (s *stdioConn) Read(b []byte) (int, error) {
	n, err := s.out.Read(b)
	if n > 0 {
		s.heard.Store(true)
		if s.onData != nil {
			s.onData()
		}
	}
	if err != nil {
		err = s.reason(err)
	}
	return n, err
}

func (s *stdioConn) Write(b []byte) (int, error) {
	n, err := s.in.Write(b)
	if err != nil && !s.shut.Load() {
		err = s.reason(err)
	}
	return n, err
}

// reason turns the end of a command that has carried nothing into what it says about that.
// One that has may close its output long before it exits, and is not waited for.
func (s *stdioConn) reason(err error) error {
	if s.heard.Load() {
		return s.client.gone(err)
	}
	s.wait.Do(func() {
		ended := s.session.Wait()
		var exit *ssh.ExitError
		if errors.As(ended, &exit) {
			said := strings.TrimSpace(s.stderr.String())
			s.failure = &CommandError{Command: s.command, Server: s.client.String(), Exit: exit.ExitStatus(), Stderr: said}
		}
	})
	if s.failure != nil {
		return s.failure
	}
	return s.client.gone(err)
}

// CommandError is a command that was to carry a connection and failed.
type CommandError struct {
	Command, Server string
	Exit            int
	Stderr          string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("running %s on %s: exit code %d: %s", e.Command, e.Server, e.Exit, e.Stderr)
}

// CloseWrite tells the command that there is no more input.
func (s *stdioConn) CloseWrite() error {
	s.shut.Store(true)
	return s.in.Close()
}

func (s *stdioConn) Close() error {
	defer s.release()
	err := s.session.Close()
	if errors.Is(err, io.EOF) { // the server has closed it already
		return nil
	}
	return err
}

func (s *stdioConn) LocalAddr() net.Addr  { return address(s.client.String()) }
func (s *stdioConn) RemoteAddr() net.Addr { return address(s.client.String()) }

func (s *stdioConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (s *stdioConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (s *stdioConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

type address string

func (a address) Network() string { return "ssh" }
func (a address) String() string  { return string(a) }

// tail keeps the last 4 KiB written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.buf.Write(b)
	if over := t.buf.Len() - 4096; over > 0 {
		t.buf.Next(over)
	}
	return n, err
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
