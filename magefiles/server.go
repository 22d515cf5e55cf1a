//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Server prepares hosts and looks after them.
type Server mg.Namespace

// Setup makes a bare Debian or Ubuntu host fit for an environment's deploys: Docker, a Swarm, the user that deploys with its key, sshd; prints the known_hosts line to pin. A second run changes nothing. Flags: -dryRun=true prints the commands and runs none, -admin=USER (root), -adminKey=PATH, -deployKey=FILE.pub (else SSH_KEY's), -host=HOST with -join=worker|manager (a further node), -advertise=ADDRESS, -mirror=URL, -registry=NAME[:PORT] with -registryCert=FILE and -registryKey=FILE (a registry on that host), -registryCA=FILE (trust one), -noSshd=true (leave sshd's settings).
func (Server) Setup(env string, admin, adminKey, deployKey, host, join, advertise, mirror, registry, registryCert, registryKey, registryCA *string, noSshd, dryRun *bool) {
	launch.Exit(launch.Slipway(launch.Args("server:setup", env).Text("admin", admin).Text("adminKey", adminKey).Text("deployKey", deployKey).
		Text("host", host).Text("join", join).Text("advertise", advertise).Text("mirror", mirror).
		Text("registry", registry).Text("registryCert", registryCert).Text("registryKey", registryKey).Text("registryCA", registryCA).
		Bool("noSshd", noSshd).Bool("dryRun", dryRun)...))
}

// Doctor says what is wrong with an environment's Swarm and its nodes, why that matters, and what to do; exits with 1 where anything is. Flag: -json=true.
func (Server) Doctor(env string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("server:doctor", env).Bool("json", json)...))
}
