// Package dev runs the whole system on one machine, for whoever works on it: a Swarm of one node, a
// registry, and what a manifest takes for granted. All of it is in the machine's Docker, under
// a label, where a later call finds it, whatever became of the earlier one.
package dev

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// Label is on the Swarm, the registry and all else that dev:up makes, with the project's name.
const Label = "slipway.dev"

// OnThisMachine refuses a Docker that is elsewhere: images go to it through 127.0.0.1. dockerHost
// is as DOCKER_HOST has it.
func OnThisMachine(dockerHost string) error {
	if dockerHost != "" && !strings.HasPrefix(dockerHost, "unix://") {
		return fmt.Errorf("dev:up and dev:down work with the Docker of this machine, and DOCKER_HOST names %s: unset it, or deploy there with `mage deploy ENV`", dockerHost)
	}
	return nil
}

// Swarm makes the daemon the only node of a Swarm of the project's, or finds the one that an
// earlier dev:up made. Any other Swarm is left alone, with an error.
func Swarm(ctx context.Context, docker *client.Client, project string) (made bool, err error) {
	state, of, err := whose(ctx, docker)
	switch {
	case err != nil:
		return false, err
	case state == swarm.LocalNodeStateActive && of == project:
		return false, nil
	case state == swarm.LocalNodeStateActive && of != "":
		return false, fmt.Errorf("dev:up of the project %s has this machine's Docker, which can have one Swarm: run `mage dev:down` first, there or here", of)
	case state == swarm.LocalNodeStateActive:
		return false, fmt.Errorf("this machine's Docker is in a Swarm that dev:up did not make, and which it leaves alone: deploy to it with SERVER_HOST=local mage deploy dev, or, if nobody needs it, leave it with: docker swarm leave --force")
	case state != swarm.LocalNodeStateInactive && state != "":
		return false, fmt.Errorf("this machine's Docker is in a Swarm that is %s: look there with docker info, and leave it with docker swarm leave --force if nobody needs it", state)
	}
	// Nothing outside of this machine is to join, or to see it.
	_, err = docker.SwarmInit(ctx, client.SwarmInitOptions{
		ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1",
		Spec: swarm.Spec{Annotations: swarm.Annotations{Labels: map[string]string{Label: project}}},
	})
	if err != nil {
		return false, fmt.Errorf("making a Swarm of this machine's Docker: %w", err)
	}
	return true, nil
}

// whose tells in which state a daemon's Swarm is, and of which project's dev:up; "" for none.
func whose(ctx context.Context, docker *client.Client) (swarm.LocalNodeState, string, error) {
	info, err := docker.Info(ctx, client.InfoOptions{})
	if err != nil {
		return "", "", fmt.Errorf("asking this machine's Docker about its Swarm: %w", err)
	}
	now := info.Info.Swarm
	if now.LocalNodeState != swarm.LocalNodeStateActive || !now.ControlAvailable {
		return now.LocalNodeState, "", nil
	}
	got, err := docker.SwarmInspect(ctx, client.SwarmInspectOptions{})
	if err != nil {
		return "", "", fmt.Errorf("asking this machine's Docker about its Swarm: %w", err)
	}
	return now.LocalNodeState, got.Swarm.Spec.Labels[Label], nil
}

// elsewhere are variables that say where to deploy, with which rights, and whom to tell: none
// of it holds for a system on this machine.
var elsewhere = []string{
	"SERVER_HOST", "SERVER_USER", "USER_NAME", "SERVER_JUMP", "SERVER_DIR", "SSH_KEY", "SSH_PRIVATE_KEY", "SSH_KNOWN_HOSTS", "TAG",
	"REGISTRY", "REGISTRY_USER", "REGISTRY_PASSWORD", "CI_REGISTRY_IMAGE", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD",
	"NOTIFY_URL", "GITLAB_TOKEN", "GITHUB_TOKEN", "PORTAINER_URL", "PORTAINER_TOKEN",
}

// Unset names which of these variables have to go: those for one environment (DEV_…) too.
func Unset(names []string, env string) (out []string) {
	prefix := strings.ToUpper(env) + "_"
	for _, n := range names {
		if slices.Contains(elsewhere, strings.TrimPrefix(n, prefix)) {
			out = append(out, n)
		}
	}
	return out
}
