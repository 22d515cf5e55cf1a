//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Dev runs the whole system on this machine.
type Dev mg.Namespace

// Up builds all services and runs the dev environment on this machine's Docker, in a Swarm and with a registry of its own; again, it deploys what has changed, committed or not. Flags: -port=5055 (of the registry), -timeout=10m, -wait=5m (for another dev:up).
func (Dev) Up(port, timeout, wait *string) {
	launch.Exit(launch.Slipway(launch.Args("dev:up").Text("port", port).Text("timeout", timeout).Text("wait", wait)...))
}

// Down removes all that dev:up has made, data included: services, volumes, images, registry, Swarm.
func (Dev) Down() { launch.Exit(launch.Slipway("dev:down")) }
