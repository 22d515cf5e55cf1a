package portainer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// pipes is a listener without an address: only who has it can connect.
type pipes struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newPipes() *pipes { return &pipes{waiting: make(chan net.Conn), closed: make(chan struct{})} }

var errClosed = errors.New("the connection to Portainer is closed")

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	toServer, fromClient := net.Pipe()
	toClient, fromServer := net.Pipe()
	select {
	case p.waiting <- &duplex{in: toServer, out: fromServer}:
		return &duplex{in: toClient, out: fromClient}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.closed:
		return nil, errClosed
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return p.unnamed() }

func (*pipes) unnamed() net.Addr { return &net.UnixAddr{Name: "portainer", Net: "pipe"} }

// duplex is a connection whose directions end one by one, as a command's input needs it.
type duplex struct{ in, out net.Conn }

func (d *duplex) Read(b []byte) (int, error)  { return d.in.Read(b) }
func (d *duplex) Write(b []byte) (int, error) { return d.out.Write(b) }

// CloseWrite lets the other side read to an end.
func (d *duplex) CloseWrite() error { return d.out.Close() }

func (d *duplex) Close() error { return errors.Join(d.in.Close(), d.out.Close()) }

func (d *duplex) LocalAddr() net.Addr  { return (*pipes)(nil).unnamed() }
func (d *duplex) RemoteAddr() net.Addr { return (*pipes)(nil).unnamed() }

func (d *duplex) SetDeadline(t time.Time) error {
	return errors.Join(d.in.SetReadDeadline(t), d.out.SetWriteDeadline(t))
}
func (d *duplex) SetReadDeadline(t time.Time) error  { return d.in.SetReadDeadline(t) }
func (d *duplex) SetWriteDeadline(t time.Time) error { return d.out.SetWriteDeadline(t) }
