//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Secret keeps the Docker secrets of environments.
type Secret mg.Namespace

// Set makes a secret of an environment, from standard input or a question on the terminal. Flags: -file=PATH, -env=VARIABLE, -from=REFERENCE (vault://MOUNT/PATH#FIELD, file://, env://), -exact=true (keeps the line end of a value of one line).
func (Secret) Set(environment, name string, file, env, from *string, exact *bool) {
	launch.Exit(launch.Slipway(launch.Args("secret:set", environment, name).Text("file", file).Text("env", env).Text("from", from).Bool("exact", exact)...))
}

// Generate makes a secret of an environment with a value at random, which nobody sees. Flags: -length=32, -alphabet=A-Za-z0-9, -show=true prints it, this once.
func (Secret) Generate(environment, name string, length, alphabet *string, show *bool) {
	launch.Exit(launch.Slipway(launch.Args("secret:generate", environment, name).Text("length", length).Text("alphabet", alphabet).Bool("show", show)...))
}

// List tells which secrets an environment has, who uses them, and which it lacks; never their values. Flag: -json=true.
func (Secret) List(environment string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("secret:list", environment).Bool("json", json)...))
}

// Rotate gives a secret a new value and rolls all services that use it, together. Flags: those of secret:set, or -generate=true with those of secret:generate; -command=COMMAND tells the database (by a shell in its container, the new value on standard input), -service=SERVICE runs it in another one; -timeout=10m, -wait=5m, -json=true.
func (Secret) Rotate(environment, name string, file, env, from *string, exact, generate *bool, length, alphabet *string, show *bool, command, service, timeout, wait *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("secret:rotate", environment, name).Text("file", file).Text("env", env).Text("from", from).Bool("exact", exact).
		Bool("generate", generate).Text("length", length).Text("alphabet", alphabet).Bool("show", show).
		Text("command", command).Text("service", service).Text("timeout", timeout).Text("wait", wait).Bool("json", json)...))
}
