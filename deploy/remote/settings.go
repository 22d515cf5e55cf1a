// Package remote connects to the Docker daemon of an environment's server: over SSH, over
// TCP with TLS, through Portainer, by a Docker context's name, or on this machine, and says what
// is wrong with it in words that name the next step.
package remote

import (
	"fmt"
	"strings"
	"time"

	"slipway/deploy/portainer"
	"slipway/deploy/ssh"
	"slipway/secret"
)

// Settings say which daemon. Nothing is read from this process's environment: the variables
// named here are where callers get the values from.
type Settings struct {
	// Server (SERVER_HOST) is "[user@]host[:port]" for SSH, "tcp://host:2376", "context:NAME",
	// "portainer://host?endpoint=NAME", "portainer" for the one at PortainerURL, or "local" for the
	// daemon of DockerHost. Never guessed.
	Server string

	// User (USER_NAME) is whom to log in as, unless Server says it.
	User string
	// Key (SSH_KEY), Agent (SSH_AUTH_SOCK) and KnownHosts (SSH_KNOWN_HOSTS) are as ssh.Options
	// has them.
	Key        secret.Value
	Agent      string
	KnownHosts string
	// Jump is "[user@]host[:port]" of a server to go through; "" for none.
	Jump string
	// SSHConfig is the path of an OpenSSH client configuration that fills in the rest, and Home
	// what "~" means there. "" reads none.
	SSHConfig, Home string
	// DockerSocket is the daemon's socket on an SSH server: /var/run/docker.sock unless given.
	DockerSocket string

	// DockerHost (DOCKER_HOST) is the daemon of "local": unix:///var/run/docker.sock unless given.
	DockerHost string
	// CertDir (DOCKER_CERT_PATH) has ca.pem, cert.pem and key.pem for TCP.
	CertDir string
	// DockerConfig (DOCKER_CONFIG, or ~/.docker) is where the docker command keeps its contexts.
	DockerConfig string

	// PortainerURL (PORTAINER_URL), PortainerEndpoint (PORTAINER_ENDPOINT), PortainerToken
	// (PORTAINER_TOKEN) and PortainerCA (PORTAINER_CA) are as portainer.Settings has them.
	PortainerURL, PortainerEndpoint, PortainerCA string
	PortainerToken                               secret.Value

	// Timeout bounds one attempt to connect: 20 seconds unless given. KeepAlive is as ssh.Options
	// has it.
	Timeout, KeepAlive time.Duration
}

// endpoint is where the settings lead; one field is set.
type endpoint struct {
	ssh       *ssh.Options
	unix      string // a path
	tcp       *tcpEndpoint
	portainer *portainer.Settings
}

type tcpEndpoint struct {
	address string // host:port
	tls     *tlsFiles
}

func (s Settings) withDefaults() Settings {
	if s.DockerSocket == "" {
		s.DockerSocket = ssh.DefaultDockerSocket
	}
	if s.DockerHost == "" {
		s.DockerHost = "unix://" + ssh.DefaultDockerSocket
	}
	if s.Timeout <= 0 {
		s.Timeout = 20 * time.Second
	}
	return s
}

// resolve reads the settings, and files that they name, but connects to nothing.
func (s Settings) resolve() (endpoint, error) {
	name, isContext := strings.CutPrefix(s.Server, "context:")
	switch {
	case s.Server == "":
		return endpoint{}, fmt.Errorf("connecting to Docker: no server is named; set SERVER_HOST to the server's address, or to local for the Docker daemon of this machine (DOCKER_HOST)")
	case s.Server == "local":
		return s.local()
	case isContext:
		return s.context(name)
	case portainer.Is(s.Server):
		return s.throughPortainer()
	case strings.HasPrefix(s.Server, "tcp://"):
		if s.CertDir == "" {
			return endpoint{}, fmt.Errorf("connecting to Docker at %s: a TCP port without TLS is open to everybody; set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem, or use SSH", s.Server)
		}
		return s.host(s.Server)
	case strings.Contains(s.Server, "://") && !strings.HasPrefix(s.Server, "ssh://"):
		return endpoint{}, fmt.Errorf("connecting to Docker: SERVER_HOST is %q; it takes [user@]host[:port] for SSH, tcp://host:port, portainer://host?endpoint=NAME, context:NAME or local", s.Server)
	}
	return s.overSSH(s.Server)
}

// local is what DOCKER_HOST says. Plain TCP is let through: whoever set it so has been told
// by Docker, and a CI job's own daemon often is reached that way.
func (s Settings) local() (endpoint, error) { return s.host(s.DockerHost) }

// host reads an address as DOCKER_HOST has it.
func (s Settings) host(address string) (endpoint, error) {
	scheme, rest, found := strings.Cut(address, "://")
	switch {
	case found && scheme == "unix" && rest != "":
		return endpoint{unix: rest}, nil
	case found && scheme == "ssh":
		return s.overSSH(address)
	case found && scheme == "tcp" && rest != "":
		tcp := &tcpEndpoint{address: withPort(strings.TrimSuffix(rest, "/"), s.CertDir != "")}
		if s.CertDir != "" {
			var err error
			if tcp.tls, err = readCertDir(s.CertDir); err != nil {
				return endpoint{}, fmt.Errorf("connecting to Docker at %s: %w", address, err)
			}
		}
		return endpoint{tcp: tcp}, nil
	}
	return endpoint{}, fmt.Errorf("connecting to Docker: DOCKER_HOST is %q; it takes unix:///path, tcp://host:port or ssh://user@host", address)
}

// withPort adds Docker's usual port where there is none: 2376 with TLS, 2375 without.
func withPort(address string, tls bool) string {
	if i := strings.LastIndex(address, ":"); i >= 0 && !strings.HasSuffix(address, "]") {
		return address
	}
	if tls {
		return address + ":2376"
	}
	return address + ":2375"
}

func (s Settings) overSSH(address string) (endpoint, error) {
	o, err := ssh.ParseAddress(address)
	if err != nil {
		return endpoint{}, fmt.Errorf("connecting to the server %s: %w", redact(address), err)
	}
	if o.User == "" {
		o.User = s.User
	}
	o.Key, o.Agent, o.KnownHosts = s.Key, s.Agent, s.KnownHosts
	o.Timeout, o.KeepAlive = s.Timeout, s.KeepAlive
	if s.Jump != "" {
		jump, err := ssh.ParseAddress(s.Jump)
		if err != nil {
			return endpoint{}, fmt.Errorf("connecting to the server %s through a jump host: %w", address, err)
		}
		if jump.User == "" {
			jump.User = o.User
		}
		o.Jump = &jump
	}
	if s.SSHConfig != "" {
		if o, err = o.WithConfig(s.SSHConfig, s.Home); err != nil {
			return endpoint{}, fmt.Errorf("connecting to the server %s: %w", address, err)
		}
	}
	return endpoint{ssh: &o}, nil
}

// redact leaves out what is before the @: it may be a password, put there by mistake.
func redact(address string) string {
	if i := strings.LastIndex(address, "@"); i >= 0 {
		return "…" + address[i:]
	}
	return address
}
