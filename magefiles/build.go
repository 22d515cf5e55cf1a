//go:build mage

// Slipway builds a monorepo's services and launches them onto a Docker Swarm.
package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Build checks services and packs them into images.
type Build mg.Namespace

// Service builds, lints, tests and packs a service: binary, image and reports under build/. Prints NAME TAG DIGEST.
func (Build) Service(name string) { launch.Exit(launch.Slipway("build:service", name)) }

// All does the same for every service, side by side, and names every failure.
func (Build) All() { launch.Exit(launch.Slipway("build:all")) }

// Affected does the same for the services whose inputs have changed since the branch left main, uncommitted changes included. Flag: -base=BRANCH (or a commit) compares with another.
func (Build) Affected(base *string) {
	launch.Exit(launch.Slipway(launch.Args("build:affected").Text("base", base)...))
}

// Why tells which inputs of a service have changed since the branch left main, and which commit last changed each: that gives the tag. Nothing is started. Flags: -base=BRANCH (or a commit), -json=true.
func (Build) Why(name string, base *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("build:why", name).Text("base", base).Bool("json", json)...))
}

// Lint runs golangci-lint on a service, with the repository's settings, and nothing else.
func (Build) Lint(name string) { launch.Exit(launch.Slipway("build:lint", name)) }

// Test runs a service's tests and nothing else.
func (Build) Test(name string) { launch.Exit(launch.Slipway("build:test", name)) }

// Plan prints what build:service would do and why, as a tree, or with -json=true as JSON. Nothing is started.
func (Build) Plan(name string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("build:plan", name).Bool("json", json)...))
}

// Image pushes images.
type Image mg.Namespace

// Push builds services (names by commas) as build:service does, and pushes their images to $REGISTRY. Prints NAME TAG DIGEST.
func (Image) Push(names string) { launch.Exit(launch.Slipway("image:push", names)) }
