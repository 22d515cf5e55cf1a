package remote

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/moby/moby/client"

	"slipway/deploy/portainer"
)

func (s Settings) throughPortainer() (endpoint, error) {
	p, err := portainer.Parse(s.Server, s.PortainerURL)
	if err != nil {
		return endpoint{}, fmt.Errorf("connecting to Docker through Portainer: %w", err)
	}
	p.Endpoint = cmp.Or(p.Endpoint, s.PortainerEndpoint)
	p.Token, p.CA, p.Timeout = s.PortainerToken, s.PortainerCA, s.Timeout
	return endpoint{portainer: &p}, nil
}

func connectPortainer(ctx context.Context, s portainer.Settings) (*Host, error) {
	gate, err := portainer.Open(ctx, s)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("connecting to Portainer at %s: %w", s.URL, context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return gate.Dial(ctx) }
	docker, err := client.New(client.WithHost("tcp://portainer:80"), client.WithHTTPClient(httpClient(dial)))
	if err != nil {
		gate.Close()
		return nil, fmt.Errorf("making a Docker client for the %s: %w", gate.Name, err)
	}
	return &Host{Docker: docker, Name: "the " + gate.Name, gate: gate}, nil
}

func (h *Host) explainPortainer(ctx context.Context, err error) error {
	if reason := h.gate.Ping(ctx); reason != nil {
		err = reason
	}
	return say(ErrNoDocker, err, "%s", err)
}

// Portainer is the way through Portainer that this host is reached by, nil where there is none.
func (h *Host) Portainer() *portainer.Gate { return h.gate }
