package ssh_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/deploy/ssh"
	"slipway/test/sshd"
	"slipway/test/sshd/tcpproxy"
)

// through logs in to s by way of a proxy.
func through(t *testing.T, s *sshd.Server, set func(*ssh.Options)) (*ssh.Client, *tcpproxy.Proxy) {
	t.Helper()
	p := tcpproxy.Start(t, s.Address())
	o := to(s)
	o.Port, o.KnownHosts = p.Port, sshd.KnownHostsLine(p.Address(), s.HostKey("ed25519"))
	if set != nil {
		set(&o)
	}
	return dial(t, o), p
}

func TestACommandGivesItsOutputsAndItsCode(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client := dial(t, to(s))
	result, err := client.Run(t.Context(), "read line; echo out $line; echo err >&2; exit 7", strings.NewReader("from stdin\n"))
	if err != nil || result != (ssh.Result{Stdout: "out from stdin\n", Stderr: "err\n", Exit: 7}) {
		t.Errorf("got %+v (%v)", result, err)
	}
	if result, err := client.Run(t.Context(), "kill -9 $$", nil); err != nil || result.Exit != 128+9 {
		t.Errorf("a killed command gave %+v (%v), want exit 137", result, err)
	}
	if result, err := client.Run(t.Context(), "no-such-command", nil); err != nil || result.Exit != 127 {
		t.Errorf("a missing command gave %+v (%v), want exit 127", result, err)
	}
}

func TestACommandEndsWithItsContext(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client := dial(t, to(s))
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := client.DialStdio(t.Context(), "mkfifo f; echo ready; exec cat f")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // the command below runs
		cancel()
	}()
	if _, err := client.Run(ctx, "echo x > f; exec sleep 86400", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := run(t, client, "echo alive"); got != "alive\n" {
		t.Errorf("the connection is of no use afterwards: %q", got)
	}
}

func TestMoreCommandsAtOnceThanTheServerAllowsAllRun(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "MaxSessions 2"})
	client := dial(t, to(s))
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if result, err := client.Run(t.Context(), "echo done", nil); err != nil || result.Stdout != "done\n" {
				t.Errorf("got %+v (%v)", result, err)
			}
		})
	}
	all.Wait()
}

func TestAServerThatAllowsNoSessionSaysSo(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "MaxSessions 0"})
	n := 0
	o := to(s)
	o.Wait = waits(&n)
	_, err := dial(t, o).Run(t.Context(), "true", nil)
	want := "opening a session on deploy@" + s.Address() + `: the server refused it 8 times ("open failed"); its sshd_config may set MaxSessions too low`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestWaitingForAFreeChannelEndsWithItsContextAndWithTheConnection(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	o := to(s)
	o.MaxSessions = 1
	client := dial(t, o)
	conn, err := client.DialStdio(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Run(ctx, "true", nil); !errors.Is(err, context.Canceled) ||
		err.Error() != "waiting for a free channel on the SSH connection to deploy@"+s.Address()+": context canceled" {
		t.Errorf("got %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := client.Run(t.Context(), "true", nil)
		waiting <- err
	}()
	_ = client.Close()
	if err := <-waiting; !errors.Is(err, ssh.ErrLost) {
		t.Errorf("after Close: got %v", err)
	}
	_ = conn.Close()
}

func TestACutConnectionEndsAllThatGoesOverItWithTheReason(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client, p := through(t, s, nil)
	conn, err := client.DialStdio(t.Context(), "echo ready; exec cat")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, ssh.ErrLost) || !strings.HasPrefix(err.Error(), "the SSH connection to deploy@"+p.Address()+" was lost: ") {
		t.Errorf("reading gave %v", err)
	}
	<-client.Done()
	if err := client.Err(); !errors.Is(err, ssh.ErrLost) {
		t.Errorf("the client says %v", err)
	}
	if _, err := client.Run(t.Context(), "true", nil); !errors.Is(err, ssh.ErrLost) {
		t.Errorf("a command gave %v", err)
	}
	if _, err := client.DialSocket(t.Context(), "/var/run/docker.sock"); !errors.Is(err, ssh.ErrLost) {
		t.Errorf("a socket gave %v", err)
	}
}

func TestADeadServerIsNoticed(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client, p := through(t, s, func(o *ssh.Options) { o.KeepAlive = 50 * time.Millisecond })
	p.Freeze()
	_, err := client.Run(t.Context(), "true", nil)
	want := "the SSH connection to deploy@" + p.Address() + " was lost: the server has not answered for 100ms"
	if !errors.Is(err, ssh.ErrLost) || client.Err() == nil || client.Err().Error() != want {
		t.Errorf("a command gave %v, the client says %v, want %s", err, client.Err(), want)
	}
}

func TestASlowServerIsNotTakenForDead(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client, p := through(t, s, func(o *ssh.Options) { o.KeepAlive = time.Second })
	p.Delay(20 * time.Millisecond)
	if got := run(t, client, "sleep 1.5; echo slow"); got != "slow\n" {
		t.Errorf("got %q", got)
	}
}

func TestCloseCanBeCalledAgainAndIsNotALoss(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client := dial(t, to(s))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := client.Close(); err != nil {
				t.Errorf("Close gave %v", err)
			}
		})
	}
	all.Wait()
	<-client.Done()
	if err := client.Err(); err != nil {
		t.Errorf("the client says %v", err)
	}
	if _, err := client.Run(t.Context(), "true", nil); err == nil || !strings.Contains(err.Error(), "the SSH connection to deploy@"+s.Address()+" is closed") {
		t.Errorf("a command gave %v", err)
	}
}
