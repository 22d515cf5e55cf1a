package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"slipway/deploy/ssh"
)

// What is wrong with a daemon, for callers that decide by it (errors.Is).
var (
	// ErrNoDocker: no Docker daemon answers.
	ErrNoDocker = errors.New("no Docker daemon")
	// ErrNoRights: there is one, but this user may not use it.
	ErrNoRights = errors.New("no right to use Docker")
	// ErrNotSwarm: the daemon is in no swarm, or its swarm does not work.
	ErrNotSwarm = errors.New("not a swarm")
	// ErrNotManager: the daemon is a swarm's worker.
	ErrNotManager = errors.New("not a manager")
)

// problem is a sentence with its kind and, where there is one, its cause.
type problem struct {
	kind     error
	sentence string
	cause    error
}

func (p *problem) Error() string { return p.sentence }

func (p *problem) Unwrap() []error {
	if p.cause == nil {
		return []error{p.kind}
	}
	return []error{p.kind, p.cause}
}

func say(kind, cause error, format string, a ...any) error {
	return &problem{kind, fmt.Sprintf(format, a...), cause}
}

// explain says why a daemon gave no sign of life.
func (h *Host) explain(ctx context.Context, to endpoint, s Settings, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("connecting to Docker on %s: %w", h.Name, ctx.Err())
	}
	switch {
	case to.ssh != nil:
		return h.explainSSH(ctx, s, to.ssh.User, err)
	case to.tcp != nil:
		return explainTCP(h.Name, s, to.tcp, err)
	case to.portainer != nil:
		return h.explainPortainer(ctx, err)
	}
	return explainUnix(ctx, s, to.unix, err)
}

// probe looks at the socket as the user there. $1 is its path.
const probe = `if [ ! -e "$1" ]; then echo missing; elif [ ! -w "$1" ]; then echo denied "$(stat -L -c %G "$1")"; else echo allowed; fi`

func (h *Host) explainSSH(ctx context.Context, s Settings, user string, err error) error {
	socket := s.DockerSocket
	if errors.Is(err, ssh.ErrLost) || errors.Is(err, ssh.ErrUnreachable) {
		return err
	}
	var said string
	over, dialErr := h.login.client(ctx)
	if dialErr != nil {
		return dialErr
	}
	if result, err := over.Run(ctx, "sh -c '"+probe+"' probe '"+strings.ReplaceAll(socket, "'", `'\''`)+"'", nil); err == nil {
		said = strings.TrimSpace(result.Stdout)
	}
	verdict, group, _ := strings.Cut(said, " ")
	var command *ssh.CommandError
	switch {
	case verdict == "missing":
		return say(ErrNoDocker, err, "there is no Docker on %s: %s does not exist there. Install Docker and start it (systemctl enable --now docker); mage server:setup does both", h.Name, socket)
	case verdict == "denied":
		return say(ErrNoRights, err, "the user %s may not use Docker on %s: permission denied on %s. Let root there run: usermod -aG %s %s", user, h.Name, socket, group, user)
	case errors.As(err, &command) && (command.Exit == 127 || command.Exit == 126): // not found, not executable: POSIX
		return say(ErrNoDocker, err, "Docker on %s cannot be reached: its sshd forwards no sockets, and %s has no docker command there. Set AllowStreamLocalForwarding yes in its sshd_config, or install the docker command", h.Name, user)
	}
	return say(ErrNoDocker, err, "Docker on %s does not answer at %s: %s. Look there with: systemctl status docker", h.Name, socket, s.reason(err))
}

// reason is the part of an error that is not the Docker client's or the HTTP library's.
func (s Settings) reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("it takes connections, but has said nothing for %s", s.Timeout)
	}
	var command *ssh.CommandError
	if errors.As(err, &command) {
		return command.Stderr
	}
	text := strings.TrimPrefix(err.Error(), "error during connect: ")
	if _, rest, ok := strings.Cut(text, "_ping\": "); ok {
		return rest
	}
	return text
}

func explainUnix(ctx context.Context, s Settings, path string, err error) error {
	conn, dialErr := new(net.Dialer).DialContext(ctx, "unix", path) // the Docker client has dropped the reason
	if dialErr == nil {
		_ = conn.Close()
	}
	switch {
	case errors.Is(dialErr, fs.ErrPermission):
		return say(ErrNoRights, err, "this user may not use Docker on this machine: permission denied on %s. Let root run: usermod -aG docker USER, and log in anew", path)
	case errors.Is(dialErr, fs.ErrNotExist):
		return say(ErrNoDocker, err, "there is no Docker on this machine: %s does not exist. Install and start Docker, or set DOCKER_HOST to where it listens", path)
	case errors.Is(dialErr, syscall.ECONNREFUSED):
		return say(ErrNoDocker, err, "Docker on this machine does not run: nobody listens at %s. Start it (systemctl start docker)", path)
	}
	return say(ErrNoDocker, err, "Docker on this machine does not answer at %s: %s", path, s.reason(err))
}

func explainTCP(name string, s Settings, to *tcpEndpoint, err error) error {
	var authority x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	text := err.Error()
	fail := func(format string, a ...any) error {
		return say(ErrNoDocker, err, "connecting to Docker at "+name+": "+format, a...)
	}
	switch {
	case errors.As(err, &authority):
		return fail("its certificate is not signed by the authority in %s; take the ca.pem that belongs to this daemon", to.tls.from)
	case errors.As(err, &wrongName):
		return fail("its certificate is not for this name (%s); use a name that it has", wrongName.Error())
	case errors.As(err, &invalid):
		return fail("its certificate is not valid: %s", invalid.Error())
	case strings.Contains(text, "remote error: tls: "): // the library has no type for a peer's alert
		return say(ErrNoRights, err, "connecting to Docker at %s: it does not accept this client's certificate; cert.pem and key.pem must be signed by the authority that the daemon trusts (--tlscacert)", name)
	case strings.Contains(text, "first record does not look like a TLS handshake"), strings.Contains(text, "server gave HTTP response"):
		return fail("it does not speak TLS; start the daemon with --tlsverify, or check the port")
	case strings.Contains(text, "TLS-enabled daemon without TLS"), strings.Contains(text, "HTTP request to an HTTPS server"):
		return fail("it wants TLS; set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem")
	case errors.As(err, &dns):
		return fail("there is no host of that name; check the address")
	case strings.Contains(text, "Cannot connect to the Docker daemon"):
		return fail("no answer (refused, or not within %s); check the address, the firewalls on the way and that Docker runs there", s.Timeout)
	case errors.Is(err, context.DeadlineExceeded):
		return fail("no answer within %s; check the address and the firewalls on the way", s.Timeout)
	}
	return fail("%s", s.reason(err))
}
