package main

import "context"

// Ci does what an event of CI asks for, by its labels and branch.
//
// What the event is, GitLab's and GitHub's variables say: hand them in by --variables.
//
// +cache="never"
func (m *Slipway) Ci(
	ctx context.Context,
	// Labels of the merge request, by commas.
	//
	// +optional
	labels string,
	// What happened: merge, push, manual, ….
	//
	// +optional
	event string,
	// The environment of a manual run.
	//
	// +optional
	env string,
	// One part alone: check, images, deploy.
	//
	// +optional
	only string,
	// The commit that changes are counted from.
	//
	// +optional
	base string,
) (string, error) {
	return m.deployed(ctx, flags{"labels": labels, "branch": m.Branch, "event": event, "env": env, "only": only, "base": base}, "ci:run")
}

// Deploy brings an environment to what its manifest wants, and gives the verdict.
//
// It plans, applies, waits, verifies and records; a service that fails takes the others back.
//
// +cache="never"
func (m *Slipway) Deploy(
	ctx context.Context,
	// The environment: dev, prod, ….
	env string,
	// Other tags for this once: NAME=TAG, several by commas.
	//
	// +optional
	image string,
	// Make a review app of that name, from the manifest of this environment.
	//
	// +optional
	from string,
	// How long a review app stays after its last deploy: 24h.
	//
	// +optional
	ttl string,
	// How long it may take: 10m.
	//
	// +optional
	timeout string,
	// How long to wait for another deploy of the environment: 5m.
	//
	// +optional
	wait string,
	// Leave the other services where they are if one fails.
	//
	// +optional
	noAtomic bool,
	// Replace services whose mode changes.
	//
	// +optional
	allowReplace bool,
	// As JSON, exit code included.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"image": image, "from": from, "ttl": ttl, "timeout": timeout, "wait": wait, "noAtomic": yes(noAtomic), "allowReplace": yes(allowReplace), "json": yes(asJSON)}, "deploy:env", env)
}

// Plan shows what a deploy would change, field by field, and changes nothing.
//
// +cache="never"
func (m *Slipway) Plan(
	ctx context.Context,
	// The environment.
	env string,
	// Other tags for this once: NAME=TAG, several by commas.
	//
	// +optional
	image string,
	// As JSON.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"image": image, "json": yes(asJSON)}, "deploy:plan", env)
}

// Status shows what runs, and where it differs from the last release.
//
// +cache="never"
func (m *Slipway) Status(
	ctx context.Context,
	// The environment.
	env string,
	// As JSON.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"json": yes(asJSON)}, "deploy:status", env)
}

// History lists an environment's releases.
//
// +cache="never"
func (m *Slipway) History(
	ctx context.Context,
	// The environment.
	env string,
	// As JSON.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"json": yes(asJSON)}, "deploy:history", env)
}

// Rollback brings an environment back to an earlier release.
//
// +cache="never"
func (m *Slipway) Rollback(
	ctx context.Context,
	// The environment.
	env string,
	// The release's number; the one before the last where it is not said.
	//
	// +optional
	to string,
	// How long it may take: 10m.
	//
	// +optional
	timeout string,
	// How long to wait for another deploy of the environment: 5m.
	//
	// +optional
	wait string,
	// Replace services whose mode changes.
	//
	// +optional
	allowReplace bool,
	// As JSON, exit code included.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"to": to, "timeout": timeout, "wait": wait, "allowReplace": yes(allowReplace), "json": yes(asJSON)}, "deploy:rollback", env)
}

// LintManifest checks an environment's manifest without connecting to anything.
//
// +cache="session"
func (m *Slipway) LintManifest(
	ctx context.Context,
	// The environment.
	env string,
	// As JSON.
	//
	// +optional
	asJSON bool,
) (string, error) {
	return m.deployed(ctx, flags{"json": yes(asJSON)}, "deploy:lint", env)
}

// Notify tells the chats of --notify-url a text, which tries their addresses out.
//
// Deploys and rollbacks tell them by themselves how they went.
//
// +cache="never"
func (m *Slipway) Notify(
	ctx context.Context,
	// What to say.
	//
	// +optional
	text string,
	// The environment whose chats are meant.
	//
	// +optional
	env string,
) (string, error) {
	return m.output(ctx, flags{"text": text, "env": env}, "ci:notify")
}
