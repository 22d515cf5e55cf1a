package remote_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/deploy/remote"
	"slipway/test/dockerd"
	"slipway/test/sshd"
)

// create makes a context with the docker command itself.
func create(t *testing.T, config, name, endpoint string) {
	t.Helper()
	cmd := exec.Command("docker", "context", "create", name, "--docker", endpoint)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+config)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker context create: %v\n%s", err, out)
	}
}

func TestContextsOfTheDockerCommandAreFollowed(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	s := sshd.Start(t, sshd.Options{Users: users, DockerSocket: strings.TrimPrefix(daemon.Host, "unix://"), HostKeys: []string{"ed25519"}})
	ours := newAuthority(t)
	address, certs, config := overTLS(t, daemon, ours, "127.0.0.1"), certDir(t, ours, ours), t.TempDir()
	create(t, config, "by-unix", "host="+daemon.Host)
	create(t, config, "by-tls", "host=tcp://"+address+",ca="+filepath.Join(certs, "ca.pem")+",cert="+filepath.Join(certs, "cert.pem")+",key="+filepath.Join(certs, "key.pem"))
	create(t, config, "by-ssh", "host=ssh://deploy@"+s.Address())
	for name, want := range map[string]string{
		"by-unix": "this machine (" + daemon.Host + ")", "by-tls": "tcp://" + address, "by-ssh": "deploy@" + s.Address(), "default": "this machine (" + daemon.Host + ")",
	} {
		settings := as(s, "deploy")
		settings.Server, settings.DockerConfig, settings.DockerHost = "context:"+name, config, daemon.Host
		host := connect(t, settings)
		if id(t, host.Docker) != id(t, daemon.Client) || host.Name != want {
			t.Errorf("%s leads to %s, want %s", name, host.Name, want)
		}
	}
}

func TestAContextThatIsNotThereIsNamedBesideThoseThatAre(t *testing.T) {
	config := t.TempDir()
	create(t, config, "staging", "host=tcp://127.0.0.1:1")
	create(t, config, "live", "host=tcp://127.0.0.1:1")
	refuses(t, remote.Settings{Server: "context:prod", DockerConfig: config}, nil, `connecting to Docker by the context "prod": there is no such context; there are: live, staging`)
	refuses(t, remote.Settings{Server: "context:prod", DockerConfig: t.TempDir()}, nil, `connecting to Docker by the context "prod": there is no such context; there are no contexts but default (docker context ls)`)
	refuses(t, remote.Settings{Server: "context:prod"}, nil, `connecting to Docker by the context "prod": there is no directory of contexts; set DOCKER_CONFIG, or HOME`)
	refuses(t, remote.Settings{Server: "context:", DockerConfig: config}, nil, `connecting to Docker by the context "": there is no such context; there are: live, staging`)
}
