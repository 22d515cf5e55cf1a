//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// CI does what a CI system's event asks for.
type CI mg.Namespace

// Run does what this event asks for, by its labels and branch: check, images, deploy. In CI the event is the system's, elsewhere a run by hand. Flags: -labels=tests,build-NAME,ENV-deploy, -branch=NAME, -env=ENV, -only=check|images|deploy, -event=merge|push|tag|schedule|manual, -base=COMMIT (what a merge request is compared with), -noReuse=true (also what is known to have passed).
func (CI) Run(labels, branch, env, only, event, base *string, noReuse *bool) {
	launch.Exit(launch.Slipway(launch.Args("ci:run").Text("labels", labels).Text("branch", branch).Text("env", env).
		Text("only", only).Text("event", event).Text("base", base).Bool("noReuse", noReuse)...))
}

// Keys makes the pair of keys by which protected CI runs sign what they built, so that it counts elsewhere: the private one into -out=FILE, the public one, for slipway.yaml's trust:, on stdout.
func (CI) Keys(out *string) {
	launch.Exit(launch.Slipway(launch.Args("ci:keys").Text("out", out)...))
}

// Notify tells the chats of NOTIFY_URL a text: to try an address out, or from a script. Flags: -text=TEXT, -env=ENV (whose NOTIFY_URL), -failed=true (shown as a failure).
func (CI) Notify(text, env *string, failed *bool) {
	launch.Exit(launch.Slipway(launch.Args("ci:notify").Text("text", text).Text("env", env).Bool("failed", failed)...))
}

// Repro runs again what a CI run did, at its commit in a work tree of its own, and compares: RUN is its record (build/ci.json, build/run.json), the record's address, or a commit. Nothing is pushed or deployed. Flags: -shell=true (in the step that fails), -deploy=true (to the SERVER_HOST that is set), -keep=true (the work tree); with a commit those of ci:run.
func (CI) Repro(run string, labels, branch, env, only, event, base *string, shell, deploy, keep *bool) {
	launch.Exit(launch.Slipway(launch.Args("ci:repro", run).Text("labels", labels).Text("branch", branch).Text("env", env).
		Text("only", only).Text("event", event).Text("base", base).Bool("shell", shell).Bool("deploy", deploy).Bool("keep", keep)...))
}
