// Package setup prepares a host for deploys: Docker, a Swarm, a user that deploys, sshd. What is
// to be done is a pure list of steps, made from what the host says of itself; a thin runner
// checks each over SSH, and does what is not so yet.
package setup

import "slipway/secret"

// Step is one thing that is to be so on a host. All commands are POSIX shell, run by root, and
// hold no secret.
type Step struct {
	// Does says what the step brings about: "Docker, of Debian's package docker.io".
	Does string
	// Check is a command that only looks, and succeeds where it is so already.
	Check string
	// Run are commands that make it so, in order; the first that fails ends the setup.
	Run []string
	// Input is the standard input of Check, and of Run's only command, where they take one: what
	// others on the host must not see in a command line. Of says what it is, for people.
	Input secret.Value
	Of    string
	// Guard is set where a mistake could lock everybody out.
	Guard *Guard
	// Join is set instead of Run for joining a Swarm.
	Join *Join
}

// Guard is how a change of sshd's settings is made: once Run has written and checked them, a
// second sshd with the new settings has to let the admin in; then the running one reads them,
// and has to let the admin in on a new connection, before the old one is let go.
type Guard struct {
	// Trial starts an sshd that serves one connection at 127.0.0.1 and the port that is appended.
	Trial string
	// Commit makes the running sshd read its settings.
	Commit string
	// Undo brings back what was there before Run.
	Undo string
}

// Join is a request to the host's own Docker daemon: the token is in no command line.
type Join struct {
	Managers  []string // "10.0.0.1:2377"
	Advertise string   // the host's own address
	Token     secret.Value
	Role      string // worker, manager
}

// Plan is what is to be so on a host, in order, and what only a person can see to.
type Plan struct {
	Steps []Step
	Notes []string
}
