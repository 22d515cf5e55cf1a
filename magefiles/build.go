//go:build mage

// Slipway builds a monorepo's services and launches them onto a Docker Swarm.
package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Build checks services and packs them into images.
type Build mg.Namespace

// Service builds, lints, tests and packs a service: binary, image and reports under build/. Prints NAME TAG DIGEST. Flag: -noReuse=true lints and tests also what is known to have passed.
func (Build) Service(name string, noReuse *bool) {
	launch.Exit(launch.Slipway(launch.Args("build:service", name).Bool("noReuse", noReuse)...))
}

// All does the same for every service, side by side, and names every failure. Flag: -noReuse=true.
func (Build) All(noReuse *bool) {
	launch.Exit(launch.Slipway(launch.Args("build:all").Bool("noReuse", noReuse)...))
}

// Affected does the same for the services whose inputs have changed since the branch left main, uncommitted changes included. Flags: -base=BRANCH (or a commit) compares with another; -noReuse=true.
func (Build) Affected(base *string, noReuse *bool) {
	launch.Exit(launch.Slipway(launch.Args("build:affected").Text("base", base).Bool("noReuse", noReuse)...))
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

// Push builds services (names by commas) as build:service does, and pushes their images to $REGISTRY. Prints NAME TAG DIGEST. What a trusted key signed as built of the same inputs only gets another tag. Flag: -noReuse=true builds it anew.
func (Image) Push(names string, noReuse *bool) {
	launch.Exit(launch.Slipway(launch.Args("image:push", names).Bool("noReuse", noReuse)...))
}
