package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/dockerd"
	"slipway/test/sshd"
)

// web speaks HTTP with a Docker daemon by way of c, on a new connection for each request.
func web(c *ssh.Client, path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return c.DialSocket(ctx, path)
	}}}
}

func ping(t *testing.T, daemon *http.Client) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://docker.invalid/_ping", nil)
	if err != nil {
		return err
	}
	answer, err := daemon.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && string(body) != "OK" {
		err = fmt.Errorf("the daemon answered %q", body)
	}
	return err
}

func TestADockerSocketIsReachedEitherWayAndTheWayIsRemembered(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	socket := strings.TrimPrefix(daemon.Host, "unix://")
	for name, c := range map[string]struct {
		config   string
		forwards bool
	}{
		"forwarded":             {"AllowStreamLocalForwarding yes", true},
		"forwarding forbidden":  {"AllowStreamLocalForwarding no", false},
		"all forwarding is off": {"DisableForwarding yes", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := sshd.Start(t, sshd.Options{
				Users:  []sshd.User{{Name: "deploy", Docker: true}, {Name: "guest"}},
				Config: c.config, DockerSocket: socket, HostKeys: []string{"ed25519"},
			})
			login := dial(t, to(s))
			for range 3 {
				if err := ping(t, web(login, ssh.DefaultDockerSocket)); err != nil {
					t.Fatal(err)
				}
			}
			if forwards, known := login.Forwards(); forwards != c.forwards || !known {
				t.Errorf("the server forwards: %t (known: %t), want %t", forwards, known, c.forwards)
			}
			if tries := strings.Count(s.Log(), "refused streamlocal port forward"); !c.forwards && tries != 1 {
				t.Errorf("forwarding was tried %d times, want once:\n%s", tries, s.Log())
			}
			if commands := strings.Count(s.Log(), "Starting session"); c.forwards && commands != 0 {
				t.Errorf("%d commands ran where the server forwards", commands)
			}

			o := to(s)
			o.User, o.Key = "guest", secret.New(s.UserKey("guest"))
			var failed *ssh.CommandError
			if err := ping(t, web(dial(t, o), ssh.DefaultDockerSocket)); !errors.As(err, &failed) || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("without rights: got %v", err)
			}
			if err := ping(t, web(login, "/nonexistent/docker.sock")); err == nil || !strings.Contains(err.Error(), "/nonexistent/docker.sock") {
				t.Errorf("a socket that is not there: got %v", err)
			}
		})
	}
}

func TestTwentyConnectionsAtOnceOverOneLogin(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	for name, config := range map[string]string{"forwarded": "", "through the docker command": "AllowStreamLocalForwarding no\nMaxSessions 4"} {
		t.Run(name, func(t *testing.T) {
			s := sshd.Start(t, sshd.Options{
				Users: []sshd.User{{Name: "deploy", Docker: true}}, Config: config, HostKeys: []string{"ed25519"},
				DockerSocket: strings.TrimPrefix(daemon.Host, "unix://"),
			})
			login := dial(t, to(s))
			daemon := web(login, ssh.DefaultDockerSocket)
			failed := make(chan error)
			for range 20 {
				go func() { failed <- ping(t, daemon) }()
			}
			for range 20 {
				if err := <-failed; err != nil {
					t.Error(err)
				}
			}
			if logins := strings.Count(s.Log(), "Accepted publickey"); logins != 1 {
				t.Errorf("there were %d logins, want one", logins)
			}
		})
	}
}

func TestACommandThatCannotCarryAConnectionSaysWhy(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	conn, err := dial(t, to(s)).DialStdio(t.Context(), "echo no daemon here >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Read(make([]byte, 1))
	want := "running echo no daemon here >&2; exit 3 on deploy@" + s.Address() + ": exit code 3: no daemon here"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
