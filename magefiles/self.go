//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
	"slipway/magefiles/selftest"
)

// Self works on slipway's own repository.
type Self mg.Namespace

// Test runs the whole suite: services, pipeline, engines, registries. It installs and starts what it needs, as root on Debian.
func (Self) Test() { launch.Exit(selftest.Test()) }

// E2E runs the sample system as a whole on a throw-away Swarm: the page, a rolling update under load, a broken release, dev beside prod.
func (Self) E2E() { launch.Exit(selftest.E2E()) }

// Faults breaks everything that docs/reliability.md names, and ends with that table and what came of each row. Flag: -fuzz=10m runs each fuzz target that long too.
func (Self) Faults(fuzz *string) { launch.Exit(selftest.Faults(fuzz)) }

// Lint runs golangci-lint on every module of this repository.
func (Self) Lint() { launch.Exit(selftest.Lint()) }

// Bench measures slipway beside its peers, in one run, and writes docs/performance.md.
func (Self) Bench() { launch.Exit(selftest.Bench()) }

// Compile builds the slipway binary, which runs the same targets without mage: build/slipway build:service ping.
func (Self) Compile() { launch.Exit(launch.CompileTo("build/slipway")) }
