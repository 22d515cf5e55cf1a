// Slipway builds a monorepo's services and launches them onto a Docker Swarm.
//
// Every function runs one of slipway's commands, the same that mage runs on a laptop, in a
// container of Dagger's: what `mage deploy:env dev` does, `dagger call deploy --env dev` does.
// A function that fails says with which exit code: 1 failed, 2 bad input, 3 rolled back, 4 timed
// out, 5 locked, 6 the live state moved since the plan, 7 failed and left as it is.
package main

import (
	"slipway/ci/internal/dagger"
)

// Slipway works on one repository.
type Slipway struct {
	// The repository that is worked on.
	Source *dagger.Directory
	// +private
	Project string
	// +private
	Branch string
	// +private
	Program *dagger.Directory
	// +private
	Settings []Setting
}

// Setting is one of slipway's environment variables.
type Setting struct {
	// +private
	Name string
	// +private
	Value string
	// +private
	Secret *dagger.Secret
}

// New chooses the repository, and says how its registry and its servers are reached.
func New(
	// The repository to work on, with its .git: tags are made of its history.
	//
	// +defaultPath="/"
	// +ignore=["build", "**/node_modules"]
	source *dagger.Directory,
	// Slipway's own source; it is compiled once for each state of it.
	//
	// +defaultPath="/"
	// +ignore=["*", "!go.mod", "!go.sum", "!cmd", "!deploy", "!dev", "!engine", "!magefiles", "!pipeline", "!progress", "!registry", "!report", "!reuse", "!secret", "!server", "!tools", "**/*_test.go", "**/testdata"]
	program *dagger.Directory,
	// The project's name, first part of a stack's: slipway.yaml's where it has one. (On a laptop
	// the repository's directory has it, and Dagger does not know a directory's name.)
	//
	// +optional
	project string,
	// Where images go: registry.example.com/group.
	//
	// +optional
	registry string,
	// The user to push and pull as.
	//
	// +optional
	registryUser string,
	// The password that belongs to it.
	//
	// +optional
	registryPassword *dagger.Secret,
	// An image to build Go services in, instead of the toolchain that go.mod names. With a C
	// compiler in it (golang:1.26-bookworm) tests run with -race.
	//
	// +optional
	toolchain string,
	// The server with the Swarm: [user@]host[:port].
	//
	// +optional
	serverHost string,
	// The user to log in as.
	//
	// +optional
	serverUser string,
	// A directory of the server to copy the environment's files to.
	//
	// +optional
	serverDir string,
	// The private key for SSH: file:PATH, env:NAME, vault://… or op://….
	//
	// +optional
	sshKey *dagger.Secret,
	// The server's host keys, as in a known_hosts file. An unknown key stops the deploy.
	//
	// +optional
	sshKnownHosts *dagger.Secret,
	// An access token of Portainer's, where the server is portainer://host?endpoint=name.
	//
	// +optional
	portainerToken *dagger.Secret,
	// A token for comments on GitLab's merge requests.
	//
	// +optional
	gitlabToken *dagger.Secret,
	// A token for comments on GitHub's pull requests.
	//
	// +optional
	githubToken *dagger.Secret,
	// Where chat messages go: a shoutrrr URL.
	//
	// +optional
	notifyURL *dagger.Secret,
	// Who deploys, for the release record.
	//
	// +optional
	user string,
	// The branch that is deployed, where the repository has a detached HEAD.
	//
	// +optional
	branch string,
	// Further variables for manifests and settings, as NAME=VALUE.
	//
	// +optional
	variables []string,
) (*Slipway, error) {
	m := &Slipway{Source: source, Project: project, Branch: branch, Program: program}
	m.set("REGISTRY", registry)
	m.set("REGISTRY_USER", registryUser)
	m.setSecret("REGISTRY_PASSWORD", registryPassword)
	m.set("SLIPWAY_TOOLCHAIN", toolchain)
	m.set("SERVER_HOST", serverHost)
	m.set("SERVER_USER", serverUser)
	m.set("SERVER_DIR", serverDir)
	m.setSecret("SSH_KEY", sshKey)
	m.setSecret("SSH_KNOWN_HOSTS", sshKnownHosts)
	m.setSecret("PORTAINER_TOKEN", portainerToken)
	m.setSecret("GITLAB_TOKEN", gitlabToken)
	m.setSecret("GITHUB_TOKEN", githubToken)
	m.setSecret("NOTIFY_URL", notifyURL)
	m.set("USER", user)
	m.set("CI_COMMIT_BRANCH", branch)
	return m, m.setAll(variables)
}
