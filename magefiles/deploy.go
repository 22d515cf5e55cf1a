//go:build mage

package main

import (
	"github.com/magefile/mage/mg"

	"slipway/magefiles/launch"
)

// Deploy launches environments onto their Swarms.
type Deploy mg.Namespace

// Aliases are shorter names of targets.
var Aliases = map[string]any{"deploy": Deploy.Env}

// Env brings an environment to what its manifest wants, waits until it runs, and says how that went (= deploy ENV). Flags: -image=NAME=TAG, -timeout=10m, -wait=5m (for the lock), -plan=FILE (of deploy:plan -out), -noAtomic=true, -allowReplace=true, -json=true.
func (Deploy) Env(env string, image, timeout, wait, plan *string, noAtomic, allowReplace, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:env", env).Text("image", image).Text("timeout", timeout).Text("wait", wait).Text("plan", plan).
		Bool("noAtomic", noAtomic).Bool("allowReplace", allowReplace).Bool("json", json)...))
}

// Plan shows what a deploy would change, field by field, and does nothing. Flags: -out=FILE saves it, -detailedExitcode=true gives 10 where there are changes, -image=NAME=TAG, -allowReplace=true, -json=true.
func (Deploy) Plan(env string, image, out *string, allowReplace, detailedExitcode, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:plan", env).Text("image", image).Text("out", out).
		Bool("allowReplace", allowReplace).Bool("detailedExitcode", detailedExitcode).Bool("json", json)...))
}

// Lint checks an environment's manifest offline, with file and line: what Swarm cannot do, and the traps. Flags: -image=NAME=TAG, -json=true.
func (Deploy) Lint(env string, image *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:lint", env).Text("image", image).Bool("json", json)...))
}

// Status tells what runs, and where that is not what was released. Flags: -detailedExitcode=true gives 10 where it is not, -json=true.
func (Deploy) Status(env string, detailedExitcode, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:status", env).Bool("detailedExitcode", detailedExitcode).Bool("json", json)...))
}

// History lists an environment's releases, from the records in its Swarm. Flag: -json=true.
func (Deploy) History(env string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:history", env).Bool("json", json)...))
}

// Rollback brings an earlier release back, without git or a registry: the last good one, or -to=RELEASE. Flags: -timeout=10m, -wait=5m, -allowReplace=true, -json=true.
func (Deploy) Rollback(env string, to, timeout, wait *string, allowReplace, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:rollback", env).Text("to", to).Text("timeout", timeout).Text("wait", wait).
		Bool("allowReplace", allowReplace).Bool("json", json)...))
}

// Unlock breaks the lock of an environment. One that a killed deploy left runs out by itself.
func (Deploy) Unlock(env string) { launch.Exit(launch.Slipway("deploy:unlock", env)) }

// Remove takes an environment's stack away, after asking, and keeps its data. Flags: -yes=true does not ask, -wait=5m.
func (Deploy) Remove(env string, yes *bool, wait *string) {
	launch.Exit(launch.Slipway(launch.Args("deploy:remove", env).Bool("yes", yes).Text("wait", wait)...))
}
