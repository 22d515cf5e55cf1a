package ssh_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/sshd"
)

// deploy is the user that tests log in as.
var deploy = []sshd.User{{Name: "deploy"}}

// to are options that log in to s as deploy.
func to(s *sshd.Server) ssh.Options {
	return ssh.Options{
		Host: s.Host, Port: s.Port, User: "deploy", Key: secret.New(s.UserKey("deploy")), KnownHosts: s.KnownHosts(),
		Random: func() float64 { return 1 },
	}
}

func dial(t *testing.T, o ssh.Options) *ssh.Client {
	t.Helper()
	client, err := ssh.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// run wants a command to succeed and gives its output.
func run(t *testing.T, client *ssh.Client, command string) string {
	t.Helper()
	result, err := client.Run(t.Context(), command, nil)
	if err != nil || result.Exit != 0 {
		t.Fatalf("%s: exit %d, %v, %s", command, result.Exit, err, result.Stderr)
	}
	return result.Stdout
}

// refuses wants Dial to end in an error of a kind with this whole text.
func refuses(t *testing.T, o ssh.Options, kind error, want string) {
	t.Helper()
	client, err := ssh.Dial(t.Context(), o)
	if err == nil {
		_ = client.Close()
		t.Fatalf("connected; want the error: %s", want)
	}
	if !isA(err, kind) || err.Error() != want {
		t.Errorf("got an error (of the wanted kind: %t)\n%s\nwant\n%s", isA(err, kind), err, want)
	}
}

// fill puts values into a message: "{port}" for "port", value, …
func fill(message string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(message)
}

// waits counts the pauses between attempts, and does not take them.
func waits(n *int) func(context.Context, time.Duration) error {
	return func(context.Context, time.Duration) error {
		*n++
		return nil
	}
}

// says listens on loopback and tells all who come the same, then hangs up.
func says(t *testing.T, text string) (port int) {
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
				_, _ = io.WriteString(conn, text)
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}
