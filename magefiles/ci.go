//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// CI does what a CI system's event asks for.
type CI mg.Namespace

// Run does what this event asks for, by its labels and branch: check, images, deploy. In CI the event is the system's, elsewhere a run by hand. Flags: -labels=tests,build-NAME,ENV-deploy, -branch=NAME, -env=ENV, -only=check|images|deploy, -event=merge|push|tag|schedule|manual, -base=COMMIT (what a merge request is compared with).
func (CI) Run(labels, branch, env, only, event, base *string) {
	launch.Exit(launch.Slipway(launch.Args("ci:run").Text("labels", labels).Text("branch", branch).Text("env", env).
		Text("only", only).Text("event", event).Text("base", base)...))
}
