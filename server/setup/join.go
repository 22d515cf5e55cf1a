package setup

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// joinPatience bounds how long a node may take to be in its Swarm.
const joinPatience = time.Minute

// join lets the host's daemon join a Swarm, and waits until it has.
func (h *Host) join(ctx context.Context, j Join) error {
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	docker, err := client.New(client.WithHost("ssh://"+h.options.Address()), client.WithHTTPClient(&http.Client{
		CheckRedirect: client.CheckRedirect, Transport: &http.Transport{DialContext: h.dialDocker},
	}))
	if err != nil {
		return fmt.Errorf("making a Docker client for %s: %w", h, err)
	}
	defer func() { _ = docker.Close() }()
	_, err = docker.SwarmJoin(ctx, client.SwarmJoinOptions{
		ListenAddr: "0.0.0.0:2377", AdvertiseAddr: j.Advertise, RemoteAddrs: j.Managers, JoinToken: j.Token.Reveal(),
	})
	// Docker answers after 20 seconds at the latest, and goes on trying.
	if err != nil && !strings.Contains(err.Error(), "Timeout was reached before node joined") {
		return fmt.Errorf("%s: %w", h, legible(err, j))
	}
	for {
		info, err := docker.Info(ctx, client.InfoOptions{})
		switch {
		case err == nil && info.Info.Swarm.LocalNodeState == swarm.LocalNodeStateActive:
			return nil
		case err == nil && info.Info.Swarm.LocalNodeState == swarm.LocalNodeStateError:
			return fmt.Errorf("%s: Docker says: %s. A firewall between the nodes is the usual cause: 2377/tcp must be open at %s", h, info.Info.Swarm.Error, strings.Join(j.Managers, ", "))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not in the Swarm after %s. A firewall between the nodes is the usual cause: 2377/tcp must be open at %s", h, joinPatience, strings.Join(j.Managers, ", "))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// legible leaves the token out of an error, should Docker ever put it there.
func legible(err error, j Join) error {
	if text := err.Error(); strings.Contains(text, j.Token.Reveal()) {
		return fmt.Errorf("%s", strings.ReplaceAll(text, j.Token.Reveal(), "***"))
	}
	return err
}
