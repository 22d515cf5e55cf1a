package remote

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/moby/moby/client"

	"slipway/deploy/portainer"
	"slipway/deploy/ssh"
)

// Host is a Docker daemon that has answered.
type Host struct {
	// Docker talks to it. Over SSH it dials again by itself when the connection was lost: a
	// request that was under way fails, the next one works.
	Docker *client.Client
	// Name is what to call it in messages: "deploy@server.example", "tcp://server:2376",
	// "this machine (unix:///var/run/docker.sock)".
	Name string
	// NodeID is the daemon's own in its swarm, once Manager has asked for it; else "".
	NodeID string

	login  *login // nil unless over SSH
	socket string // of the daemon there
	gate   *portainer.Gate
}

// Connect makes a connection to the daemon of the settings and asks it for a sign of life.
// Errors are sentences; those of the SSH connection are of package ssh's kinds, the others
// ErrNoDocker or ErrNoRights where they apply.
func Connect(ctx context.Context, settings Settings) (*Host, error) {
	s := settings.withDefaults()
	to, err := s.resolve()
	if err != nil {
		return nil, err
	}
	var h *Host
	switch {
	case to.ssh != nil:
		h, err = connectSSH(ctx, *to.ssh, s.DockerSocket)
	case to.tcp != nil:
		h, err = newTCP(*to.tcp)
	case to.portainer != nil:
		h, err = connectPortainer(ctx, *to.portainer)
	default:
		h, err = newUnix(to.unix)
	}
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	if _, err := h.Docker.Ping(limited, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		// Why is asked for in the caller's time: the limited one may be up.
		err = h.explain(ctx, to, s, err)
		_ = h.Close()
		return nil, err
	}
	return h, nil
}

// SSH is the connection that Docker goes over, made anew if it was lost; nil where there is none.
func (h *Host) SSH(ctx context.Context) (*ssh.Client, error) {
	if h.login == nil {
		return nil, nil
	}
	return h.login.client(ctx)
}

// Close ends all connections to the daemon.
func (h *Host) Close() error {
	err := h.Docker.Close()
	if h.login != nil {
		h.login.close()
	}
	if h.gate != nil {
		h.gate.Close()
	}
	return err
}

func connectSSH(ctx context.Context, o ssh.Options, socket string) (*Host, error) {
	l := newLogin(o)
	if _, err := l.client(ctx); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx, socket) }
	docker, err := client.New(client.WithHost("ssh://"+o.Address()), client.WithHTTPClient(httpClient(dial)))
	if err != nil {
		l.close()
		return nil, fmt.Errorf("making a Docker client for %s: %w", o, err)
	}
	return &Host{Docker: docker, Name: o.String(), login: l, socket: socket}, nil
}

// httpClient speaks through dial alone: no proxy of the environment's gets between. Few
// connections are kept idle, and not for long, since over SSH each may hold a session.
func httpClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		CheckRedirect: client.CheckRedirect,
		Transport:     &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: 10 * time.Second},
	}
}

func newUnix(path string) (*Host, error) {
	docker, err := client.New(client.WithHost("unix://" + path))
	if err != nil {
		return nil, fmt.Errorf("making a Docker client for %s: %w", path, err)
	}
	return &Host{Docker: docker, Name: "this machine (unix://" + path + ")"}, nil
}

func newTCP(to tcpEndpoint) (*Host, error) {
	name := "tcp://" + to.address
	web := httpClient(new(net.Dialer).DialContext)
	if to.tls != nil {
		config, err := to.tls.config()
		if err != nil {
			return nil, fmt.Errorf("connecting to Docker at %s: %w", name, err)
		}
		web.Transport.(*http.Transport).TLSClientConfig = config
	}
	docker, err := client.New(client.WithHost(name), client.WithHTTPClient(web))
	if err != nil {
		return nil, fmt.Errorf("making a Docker client for %s: %w", name, err)
	}
	return &Host{Docker: docker, Name: name}, nil
}
