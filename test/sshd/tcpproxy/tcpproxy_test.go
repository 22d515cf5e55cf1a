package tcpproxy_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"slipway/test/sshd/tcpproxy"
)

// echo sends back what it gets.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *tcpproxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("heard %q (%v), want %q", got, err, want)
	}
}

func TestACutIsAResetAndNewConnectionsPass(t *testing.T) {
	p := tcpproxy.Start(t, echo(t))
	conn := dial(t, p)
	say(t, conn, "hello")
	hear(t, conn, "hello")
	p.Cut()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading from a cut connection gave %v, want a reset", err)
	}
	again := dial(t, p)
	say(t, again, "again")
	hear(t, again, "again")
	if p.Accepted() != 2 {
		t.Errorf("%d connections were accepted, want 2", p.Accepted())
	}
}

func TestWhatIsFrozenFlowsAfterResume(t *testing.T) {
	p := tcpproxy.Start(t, echo(t))
	conn := dial(t, p)
	p.Freeze()
	say(t, conn, "held")
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := conn.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("a frozen connection gave %d bytes and %v", n, err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.Resume()
	hear(t, conn, "held")
}

func TestARefusedConnectionIsReset(t *testing.T) {
	p := tcpproxy.Start(t, echo(t))
	p.Refuse()
	refused, err := net.Dial("tcp", p.Address())
	if err == nil { // else the reset was faster
		_, err = refused.Read(make([]byte, 1))
		_ = refused.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading from a refused connection gave %v, want a reset", err)
	}
	p.Resume()
	conn := dial(t, p)
	say(t, conn, "hello")
	hear(t, conn, "hello")
}
