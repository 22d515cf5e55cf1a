package ssh_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/sshd"
	"slipway/test/sshd/tcpproxy"
)

func TestAServerThatCannotBeReachedIsExplained(t *testing.T) {
	key, _ := sshd.NewKey(t, "ed25519", "")
	mute, err := net.Listen("tcp4", "127.0.0.1:0") // the kernel takes connections; nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	web, gone := says(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), says(t, "")
	for name, c := range map[string]struct {
		host string
		port int
		want string
	}{
		"refused":      {"127.0.0.1", 1, "connecting to deploy@127.0.0.1:1 over SSH: nothing listens on port 1 there; check the port and that sshd runs"},
		"no such host": {"no-such-host.invalid", 0, `connecting to deploy@no-such-host.invalid over SSH: there is no host named "no-such-host.invalid"; check SERVER_HOST`},
		"no answer":    {"127.0.0.1", mute.Addr().(*net.TCPAddr).Port, "connecting to deploy@{mute} over SSH: port {muteport} is open, but no SSH server answers there within 300ms; check the port"},
		"a web server": {"127.0.0.1", web, `connecting to deploy@127.0.0.1:{web} over SSH: the server hung up 8 times before it said who it is (it said "HTTP/1.1 400 Bad Request"). Either too many are logging in at once (MaxStartups), it blocks this address, or what listens on port {web} is not sshd`},
		"a hang-up":    {"127.0.0.1", gone, `connecting to deploy@127.0.0.1:{gone} over SSH: the server hung up 8 times before it said who it is. Either too many are logging in at once (MaxStartups), it blocks this address, or what listens on port {gone} is not sshd`},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			o := ssh.Options{Host: c.host, Port: c.port, User: "deploy", Key: secret.New(key), Wait: waits(&n)}
			if name == "no answer" {
				o.Timeout = 300 * time.Millisecond
			}
			refuses(t, o, ssh.ErrUnreachable, fill(c.want, "{mute}", mute.Addr().String(),
				"{muteport}", strconv.Itoa(mute.Addr().(*net.TCPAddr).Port), "{web}", strconv.Itoa(web), "{gone}", strconv.Itoa(gone)))
		})
	}
}

func TestOptionsThatMissSomethingAreRefusedBeforeAnythingIsSent(t *testing.T) {
	refuses(t, ssh.Options{User: "deploy"}, nil, "connecting over SSH: there is no host to connect to; set SERVER_HOST")
	refuses(t, ssh.Options{Host: "server.example"}, nil, "connecting over SSH to server.example: there is no user to log in as; set USER_NAME")
	refuses(t, ssh.Options{Host: "server.example", User: "deploy", Port: 70000}, nil, "connecting over SSH to server.example: port 70000 is not between 1 and 65535")
}

func TestALoginDroppedByMaxStartupsIsTriedAgain(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "MaxStartups 1"})
	holder, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	if line, err := bufio.NewReader(holder).ReadString('\n'); err != nil || !strings.HasPrefix(line, "SSH-") {
		t.Fatalf("the first connection heard %q (%v)", line, err)
	}
	pauses := 0
	o := to(s)
	o.Wait = waits(&pauses)
	refuses(t, o, ssh.ErrUnreachable, fill(`connecting to deploy@127.0.0.1:{port} over SSH: the server hung up 8 times before it said who it is (it said "Exceeded MaxStartups"). Either too many are logging in at once (MaxStartups), it blocks this address, or what listens on port {port} is not sshd`,
		"{port}", strconv.Itoa(s.Port)))
	if pauses != 7 {
		t.Errorf("it paused %d times in 8 attempts", pauses)
	}

	// sshd frees the place when it has seen the end of the first connection, so only the
	// first pause is cut short.
	o.Wait = func(ctx context.Context, d time.Duration) error {
		if pauses++; pauses == 8 {
			_ = holder.Close()
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	}
	if got := run(t, dial(t, o), "id -un"); got != "deploy\n" || pauses == 7 {
		t.Errorf("got %q after %d pauses", got, pauses)
	}
}

func TestPausesGrowAndAreShakenByTheDice(t *testing.T) {
	key, _ := sshd.NewKey(t, "ed25519", "")
	var pauses []time.Duration
	_, err := ssh.Dial(t.Context(), ssh.Options{
		Host: "127.0.0.1", Port: says(t, ""), User: "deploy", Key: secret.New(key),
		Wait:   func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil },
		Random: func() float64 { return float64(len(pauses)%2) / 2 },
	})
	if !errors.Is(err, ssh.ErrUnreachable) {
		t.Fatal(err)
	}
	want := "100ms 300ms 400ms 1.2s 1.5s 2.25s 1.5s"
	var got []string
	for _, pause := range pauses {
		got = append(got, pause.String())
	}
	if strings.Join(got, " ") != want {
		t.Errorf("paused %s, want %s", got, want)
	}
}

func TestDiallingEndsWithItsContextAtEachStep(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	p := tcpproxy.Start(t, s.Address())
	p.Freeze()
	o := to(s)
	o.Port, o.KnownHosts = p.Port, sshd.KnownHostsLine(p.Address(), s.HostKey("ed25519"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for p.Accepted() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := ssh.Dial(ctx, o); !errors.Is(err, context.Canceled) || err.Error() != "connecting to deploy@"+p.Address()+" over SSH: context canceled" {
		t.Errorf("during the handshake: got %v", err)
	}
	if _, err := ssh.Dial(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("before the connection: got %v", err)
	}
	n := 0
	ctx, cancel = context.WithCancel(t.Context())
	o.Port = says(t, "")
	o.Wait = func(ctx context.Context, _ time.Duration) error { n++; cancel(); return ctx.Err() }
	if _, err := ssh.Dial(ctx, o); !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("between attempts: got %v after %d pauses", err, n)
	}
}

func TestAJumpHostIsGoneThrough(t *testing.T) {
	jump := sshd.Start(t, sshd.Options{Users: []sshd.User{{Name: "hopper"}}, HostKeys: []string{"ed25519"}})
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	o := to(s)
	o.KnownHosts += jump.KnownHosts()
	o.Jump = &ssh.Options{Host: jump.Host, Port: jump.Port, User: "hopper", Key: secret.New(jump.UserKey("hopper"))}
	client := dial(t, o)
	if got := run(t, client, "id -un"); got != "deploy\n" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(jump.Log(), "Accepted publickey for hopper") {
		t.Errorf("nobody came through the jump host:\n%s", jump.Log())
	}

	o.Jump.Key = secret.New(s.UserKey("deploy"))
	if _, err := ssh.Dial(t.Context(), o); !errors.Is(err, ssh.ErrDenied) ||
		!strings.HasPrefix(err.Error(), "going to deploy@"+s.Address()+" through a jump host: logging in to hopper@"+jump.Address()+" over SSH: refused with the key") {
		t.Errorf("with a wrong key for the jump host: got %v", err)
	}
	o.Jump.Key, o.Port = secret.New(jump.UserKey("hopper")), 1
	refuses(t, o, ssh.ErrUnreachable, "connecting to deploy@127.0.0.1:1 over SSH: the jump host hopper@"+jump.Address()+" cannot reach it: Connection refused")
}

func TestAJumpHostThatForbidsForwardingSaysSo(t *testing.T) {
	jump := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: "AllowTcpForwarding no"})
	hop := to(jump)
	o := ssh.Options{Host: "server.example", User: "deploy", Key: hop.Key, Jump: &hop}
	refuses(t, o, ssh.ErrUnreachable, "connecting to deploy@server.example over SSH: the jump host deploy@"+jump.Address()+" forbids forwarding; its sshd_config needs AllowTcpForwarding yes or local")
}
