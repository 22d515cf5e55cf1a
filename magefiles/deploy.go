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

// Env brings an environment to what its manifest wants, waits until it runs, and says how that went (= deploy ENV). Flags: -from=ENV -ttl=24h (a review app), -image=NAME=TAG, -timeout=10m, -wait=5m (for the lock), -plan=FILE (of deploy:plan -out), -noAtomic=true, -allowReplace=true, -json=true.
func (Deploy) Env(env string, from, ttl, image, timeout, wait, plan *string, noAtomic, allowReplace, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:env", env).Text("from", from).Text("ttl", ttl).Text("image", image).Text("timeout", timeout).Text("wait", wait).Text("plan", plan).
		Bool("noAtomic", noAtomic).Bool("allowReplace", allowReplace).Bool("json", json)...))
}

// Plan shows what a deploy would change, field by field, and does nothing. Flags: -out=FILE saves it, -detailedExitcode=true gives 10 where there are changes, -image=NAME=TAG, -allowReplace=true, -json=true.
func (Deploy) Plan(env string, from, image, out *string, allowReplace, detailedExitcode, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:plan", env).Text("from", from).Text("image", image).Text("out", out).
		Bool("allowReplace", allowReplace).Bool("detailedExitcode", detailedExitcode).Bool("json", json)...))
}

// Lint checks an environment's manifest offline, with file and line: what Swarm cannot do, and the traps. Flags: -image=NAME=TAG, -json=true.
func (Deploy) Lint(env string, from, image *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:lint", env).Text("from", from).Text("image", image).Bool("json", json)...))
}

// Status tells what runs, and where that is not what was released. Flags: -detailedExitcode=true gives 10 where it is not, -json=true.
func (Deploy) Status(env string, from *string, detailedExitcode, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:status", env).Text("from", from).Bool("detailedExitcode", detailedExitcode).Bool("json", json)...))
}

// History lists an environment's releases, from the records in its Swarm. Flag: -json=true.
func (Deploy) History(env string, from *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:history", env).Text("from", from).Bool("json", json)...))
}

// Rollback brings an earlier release back, without git or a registry: the last good one, or -to=RELEASE. Flags: -timeout=10m, -wait=5m, -allowReplace=true, -json=true.
func (Deploy) Rollback(env string, from, to, timeout, wait *string, allowReplace, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:rollback", env).Text("from", from).Text("to", to).Text("timeout", timeout).Text("wait", wait).
		Bool("allowReplace", allowReplace).Bool("json", json)...))
}

// Unlock breaks the lock of an environment. One that a killed deploy left runs out by itself.
func (Deploy) Unlock(env string, from *string) {
	launch.Exit(launch.Slipway(launch.Args("deploy:unlock", env).Text("from", from)...))
}

// Remove takes an environment's stack away, after asking, and keeps its data; a review app's goes too. Flags: -yes=true does not ask, -wait=5m.
func (Deploy) Remove(env string, from *string, yes *bool, wait *string) {
	launch.Exit(launch.Slipway(launch.Args("deploy:remove", env).Text("from", from).Bool("yes", yes).Text("wait", wait)...))
}

// Logs shows what the tasks of a service write, or of all. Flags: -follow=true, -tail=100 (lines of each task, or all), -since=10m, -timestamps=true.
func (Deploy) Logs(env, service string, from, tail, since *string, follow, timestamps *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:logs", env, service).Text("from", from).Text("tail", tail).Text("since", since).
		Bool("follow", follow).Bool("timestamps", timestamps)...))
}

// Expire removes the review apps whose time is up, with their data, from the Swarm that an environment (dev) is on. Flags: -env=mr-* (only these), -dryRun=true.
func (Deploy) Expire(server string, env *string, dryRun *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:expire", server).Text("env", env).Bool("dryRun", dryRun)...))
}

// Webhook lets Portainer update one service by its webhook, and proves that the new image runs. Flags: -tag=TAG (the service's own tag without it), -timeout=10m, -wait=5m (for the lock), -json=true.
func (Deploy) Webhook(env, service string, tag, timeout, wait *string, json *bool) {
	launch.Exit(launch.Slipway(launch.Args("deploy:webhook", env, service).Text("tag", tag).Text("timeout", timeout).Text("wait", wait).Bool("json", json)...))
}
