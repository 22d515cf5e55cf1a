// Package tcpproxy stands between a client and a server under test and plays the network:
// it cuts connections, holds them as a dead peer does, delays them, and refuses new ones.
package tcpproxy

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes TCP connections on to one address until the test ends.
type Proxy struct {
	// Host and Port are where it listens, on 127.0.0.1.
	Host string
	Port int

	target   string
	listener net.Listener

	mu       sync.Mutex
	frozen   chan struct{} // closed by Resume; nil while bytes flow
	delay    time.Duration
	refusing bool
	accepted int
	open     map[*net.TCPConn]bool // both ends of each connection
}

// Start listens and passes on to target ("host:port").
func Start(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("starting a TCP proxy: %v", err)
	}
	address := listener.Addr().(*net.TCPAddr)
	p := &Proxy{Host: address.IP.String(), Port: address.Port, target: target, listener: listener, open: map[*net.TCPConn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		p.Resume()
		p.Cut()
	})
	go p.serve()
	return p
}

// Address is "host:port".
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Accepted counts the connections made so far, refused ones included.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Cut resets all connections, on both sides. New ones are passed on.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		reset(conn)
	}
}

// Refuse resets new connections as they come, until Resume.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = true
}

// Freeze holds all bytes, as a peer does that lost its power or its route, until Resume.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

// Delay holds each piece of data for d, in each direction.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Resume ends Refuse, Freeze and Delay. What was held flows.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing, p.delay = false, 0
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

func (p *Proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go p.join(conn.(*net.TCPConn))
		}
	}
}

func (p *Proxy) join(client *net.TCPConn) {
	p.mu.Lock()
	p.accepted++
	refusing := p.refusing
	p.mu.Unlock()
	if refusing {
		reset(client)
		return
	}
	conn, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	server := conn.(*net.TCPConn)
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, client)
		delete(p.open, server)
		p.mu.Unlock()
		_ = client.Close()
		_ = server.Close()
	}()
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client) })
	both.Go(func() { p.pass(client, server) })
	both.Wait()
}

// pass copies until the source ends, which the other end is told, or either is cut.
func (p *Proxy) pass(to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.hold()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				reset(from)
				return
			}
		}
		if err != nil {
			_ = to.CloseWrite()
			return
		}
	}
}

func (p *Proxy) hold() {
	p.mu.Lock()
	frozen, delay := p.frozen, p.delay
	p.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay) // the network's time, not a wait for a condition
	}
	if frozen != nil {
		<-frozen
	}
}

// reset closes a connection so that its peer sees "connection reset", not an orderly end.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
