package remote_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	xssh "golang.org/x/crypto/ssh"

	"slipway/deploy/remote"
	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/dockerd"
	"slipway/test/sshd"
	"slipway/test/sshd/tcpproxy"
)

var users = []sshd.User{{Name: "deploy", Docker: true}, {Name: "guest"}}

func TestDockerOverSSHIsTheServersOwn(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	socket := strings.TrimPrefix(daemon.Host, "unix://")
	for name, config := range map[string]string{"forwarded": "", "through the docker command": "AllowStreamLocalForwarding no"} {
		t.Run(name, func(t *testing.T) {
			s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: socket, Config: config, HostKeys: []string{"ed25519"}})
			// A proxy in the environment is not for Docker's socket.
			t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
			host := connect(t, as(s, "deploy"))
			if id(t, host.Docker) != id(t, daemon.Client) || host.Name != "deploy@"+s.Address() {
				t.Errorf("%s is another daemon", host.Name)
			}
			over, err := host.SSH(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if result, err := over.Run(t.Context(), "id -un", nil); err != nil || result.Stdout != "deploy\n" {
				t.Errorf("a command over the same connection gave %+v (%v)", result, err)
			}
			refuses(t, as(s, "guest"), remote.ErrNoRights, "the user guest may not use Docker on guest@"+s.Address()+
				": permission denied on /var/run/docker.sock. Let root there run: usermod -aG docker guest")
			if logins := strings.Count(s.Log(), "Accepted publickey for deploy"); logins != 1 {
				t.Errorf("there were %d logins, want one", logins)
			}
		})
	}
}

func TestAKeyThatMayDoNothingButDockerIsEnough(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(daemon.Host, "unix://"), HostKeys: []string{"ed25519"}})
	key, public := sshd.NewKey(t, "ed25519", "")
	s.Authorize("deploy", `restrict,command="docker system dial-stdio" `+string(xssh.MarshalAuthorizedKey(public)))
	settings := as(s, "deploy")
	settings.Key = secret.New(key)
	if host := connect(t, settings); id(t, host.Docker) != id(t, daemon.Client) {
		t.Errorf("%s is another daemon", host.Name)
	}
}

func TestAServerWhoseDockerDoesNotAnswerSaysWhy(t *testing.T) {
	dead := filepath.Join(shortDir(t), "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(listener.Close(), os.Chown(dead, 0, 47000)); err != nil { // a daemon's socket without a daemon
		t.Fatal(err)
	}
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: dead, HostKeys: []string{"ed25519"}})
	root := as(s, "root")
	refuses(t, root, remote.ErrNoDocker, "Docker on root@"+s.Address()+" does not answer at /var/run/docker.sock: "+
		"failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: connection refused. Look there with: systemctl status docker")
	root.DockerSocket = "/run/user/1000/docker.sock"
	refuses(t, root, remote.ErrNoDocker, "there is no Docker on root@"+s.Address()+": /run/user/1000/docker.sock does not exist there. Install Docker and start it (systemctl enable --now docker); mage server:setup does both")

	live := fake(t, nil)
	if err := os.Chown(live, 0, 47000); err != nil {
		t.Fatal(err)
	}
	bare := sshd.Start(t, sshd.Options{Users: users, DockerSocket: live, NoDockerCLI: true, HostKeys: []string{"ed25519"}, Config: "AllowStreamLocalForwarding no"})
	refuses(t, as(bare, "root"), remote.ErrNoDocker, "Docker on root@"+bare.Address()+" cannot be reached: its sshd forwards no sockets, and root has no docker command there. Set AllowStreamLocalForwarding yes in its sshd_config, or install the docker command")
}

func TestWhatIsWrongWithTheSSHLoginIsSaidAsItIs(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: users, HostKeys: []string{"ed25519"}})
	for name, c := range map[string]struct {
		set  func(*remote.Settings)
		kind error
	}{
		"host key":  {func(s *remote.Settings) { s.KnownHosts = "" }, ssh.ErrHostKey},
		"user":      {func(s *remote.Settings) { s.User = "ghost" }, ssh.ErrDenied},
		"wrong key": {func(o *remote.Settings) { o.Key = secret.New(s.UserKey("guest")) }, ssh.ErrDenied},
		"refused":   {func(s *remote.Settings) { s.Server = "127.0.0.1:1" }, ssh.ErrUnreachable},
	} {
		settings := as(s, "deploy")
		c.set(&settings)
		if _, err := remote.Connect(t.Context(), settings); !errors.Is(err, c.kind) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAfterACutTheNextRequestGoesOverANewConnection(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(daemon.Host, "unix://"), HostKeys: []string{"ed25519"}})
	p := tcpproxy.Start(t, s.Address())
	settings := as(s, "deploy")
	settings.Server, settings.KnownHosts = p.Address(), sshd.KnownHostsLine(p.Address(), s.HostKey("ed25519"))
	host := connect(t, settings)
	for name, cut := range map[string]func(){"a cut": p.Cut, "a restart of sshd": func() { s.Stop(); s.Up() }} {
		ctx, cancel := context.WithCancel(t.Context())
		events := host.Docker.Events(ctx, client.EventsListOptions{})
		cut()
		if err := <-events.Err; !errors.Is(err, ssh.ErrLost) {
			t.Errorf("%s: the stream of events ended with %v", name, err)
		}
		cancel()
		if id(t, host.Docker) != id(t, daemon.Client) {
			t.Errorf("%s: it is another daemon", name)
		}
	}
	if p.Accepted() != 3 {
		t.Errorf("there were %d connections, want three", p.Accepted())
	}

	if err := host.Close(); err != nil {
		t.Error(err)
	}
	if _, err := host.Docker.Ping(t.Context(), client.PingOptions{}); err == nil || !strings.Contains(err.Error(), "the SSH connection to deploy@"+p.Address()+" is closed") {
		t.Errorf("after Close a request gave %v", err)
	}
}

func TestADaemonThatRestartsIsReachedAgain(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(daemon.Host, "unix://"), HostKeys: []string{"ed25519"}})
	host := connect(t, as(s, "deploy"))
	before := id(t, host.Docker)
	daemon.Kill()
	if _, err := host.Docker.Ping(t.Context(), client.PingOptions{}); err == nil {
		t.Error("a daemon that was killed answers")
	} else if _, err = host.Docker.Ping(t.Context(), client.PingOptions{}); err == nil || !strings.Contains(err.Error(), "nothing answers at /var/run/docker.sock on deploy@"+s.Address()) {
		t.Errorf("got %v", err)
	}
	daemon.Up()
	if id(t, host.Docker) != before {
		t.Error("it is another daemon")
	}
}
