package remote_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"slipway/deploy/remote"
	"slipway/test/dockerd"
)

func TestLocalIsTheDaemonOfDockerHostAndItsSwarmIsChecked(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	host := connect(t, remote.Settings{Server: "local", DockerHost: daemon.Host})
	name := "this machine (" + daemon.Host + ")"
	if id(t, host.Docker) != id(t, daemon.Client) || host.Name != name {
		t.Errorf("%s is another daemon", host.Name)
	}
	if over, err := host.SSH(t.Context()); over != nil || err != nil {
		t.Errorf("there is an SSH connection: %v (%v)", over, err)
	}
	err := host.Manager(t.Context())
	want := "Docker on " + name + " is in no swarm. Make it one with: docker swarm init (on a server with several addresses, with --advertise-addr); mage server:setup does it too"
	if !errors.Is(err, remote.ErrNotSwarm) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err := daemon.Client.SwarmInit(t.Context(), client.SwarmInitOptions{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	if err := host.Manager(t.Context()); err != nil {
		t.Errorf("a manager: %v", err)
	}
}

func TestASwarmThatCannotBeDeployedToSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		swarm string
		kind  error
		want  string
	}{
		"a worker": {
			`{"LocalNodeState":"active","NodeID":"n1","RemoteManagers":[{"NodeID":"m1","Addr":"10.0.0.1:2377"},{"NodeID":"m2","Addr":"10.0.0.2:2377"}]}`,
			remote.ErrNotManager, "is a worker of its swarm, and cannot deploy. Set SERVER_HOST to a manager (10.0.0.1:2377, 10.0.0.2:2377), or let one of them run: docker node promote n1",
		},
		"locked":  {`{"LocalNodeState":"locked"}`, remote.ErrNotSwarm, "is locked after a restart. Unlock it there with: docker swarm unlock"},
		"joining": {`{"LocalNodeState":"pending"}`, remote.ErrNotSwarm, "is still joining its swarm. Wait, or look there with: docker info"},
	} {
		host := connect(t, remote.Settings{Server: "local", DockerHost: "unix://" + fake(t, map[string]string{"/info": `{"Swarm":` + c.swarm + `}`})})
		if err := host.Manager(t.Context()); !errors.Is(err, c.kind) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	host := connect(t, remote.Settings{Server: "local", DockerHost: "unix://" + fake(t, map[string]string{"/info": `{"Swarm":{"LocalNodeState":"error","Error":"no quorum"}}`})})
	want := "the swarm on " + host.Name + " does not work: no quorum. Look there with: docker info"
	if err := host.Manager(t.Context()); !errors.Is(err, remote.ErrNotSwarm) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestALocalDaemonThatIsNotThereSaysWhatToDo(t *testing.T) {
	dead := filepath.Join(shortDir(t), "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	_ = listener.Close()
	refuses(t, remote.Settings{Server: "local", DockerHost: "unix://" + dead}, remote.ErrNoDocker, "Docker on this machine does not run: nobody listens at "+dead+". Start it (systemctl start docker)")
	refuses(t, remote.Settings{Server: "local", DockerHost: "unix:///nonexistent/s"}, remote.ErrNoDocker, "there is no Docker on this machine: /nonexistent/s does not exist. Install and start Docker, or set DOCKER_HOST to where it listens")
	mute := filepath.Join(shortDir(t), "s")
	silent, err := net.Listen("unix", mute) // the kernel takes connections; nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	refuses(t, remote.Settings{Server: "local", DockerHost: "unix://" + mute, Timeout: 200 * time.Millisecond}, remote.ErrNoDocker,
		"Docker on this machine does not answer at "+mute+": it takes connections, but has said nothing for 200ms")
}

func TestSettingsThatNameNoDaemonAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		settings remote.Settings
		want     string
	}{
		"nothing":           {remote.Settings{}, "connecting to Docker: no server is named; set SERVER_HOST to the server's address, or to local for the Docker daemon of this machine (DOCKER_HOST)"},
		"a web address":     {remote.Settings{Server: "https://server.example"}, `connecting to Docker: SERVER_HOST is "https://server.example"; it takes [user@]host[:port] for SSH, tcp://host:port, portainer://host?endpoint=NAME, context:NAME or local`},
		"TCP without TLS":   {remote.Settings{Server: "tcp://server.example:2375"}, "connecting to Docker at tcp://server.example:2375: a TCP port without TLS is open to everybody; set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem, or use SSH"},
		"a wrong port":      {remote.Settings{Server: "server.example:ssh"}, `connecting to the server server.example:ssh: port "ssh" of server.example is not a number between 1 and 65535`},
		"a password":        {remote.Settings{Server: "ssh://user:CANARY@server.example"}, "connecting to the server …@server.example: an SSH address holds no password; set SSH_KEY"},
		"no user":           {remote.Settings{Server: "server.example"}, "connecting over SSH to server.example: there is no user to log in as; set USER_NAME"},
		"a wrong jump host": {remote.Settings{Server: "server.example", Jump: "a b"}, `connecting to the server server.example through a jump host: "a b" is not [user@]host[:port]`},
		"a named pipe":      {remote.Settings{Server: "local", DockerHost: "npipe:////./pipe/docker"}, `connecting to Docker: DOCKER_HOST is "npipe:////./pipe/docker"; it takes unix:///path, tcp://host:port or ssh://user@host`},
		"no certificates":   {remote.Settings{Server: "tcp://server.example", CertDir: "/nonexistent"}, "connecting to Docker at tcp://server.example: /nonexistent has no "},
	} {
		_, err := remote.Connect(t.Context(), c.settings)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
}
