// Package environment brings together what is to be known of an environment before it can be
// deployed: slipway.yaml, and environment variables under their usual names. It is pure.
package environment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/deploy/portainer"
	"slipway/deploy/remote"
	"slipway/pipeline"
	"slipway/secret"
	"slipway/secret/reference"
)

// Environment is where a stack runs, and by which rules.
type Environment struct {
	Name, Project, Stack string
	Server               remote.Settings
	Dir                  string // on the server, "" to copy nothing there
	Settings             pipeline.EnvironmentSettings
	Timeout              time.Duration
	// Variables are what the manifest may name. References are those that slipway.yaml has by
	// reference (env://, file://, vault://), for Settle.
	Variables, References map[string]string
	// Secret are the values of those variables: whoever keeps a value elsewhere means to hide it.
	Secret []secret.Value
}

// Settle fills in the variables that are there by reference. value resolves one.
func (e *Environment) Settle(value func(reference string) (secret.Value, error)) error {
	for _, k := range slices.Sorted(maps.Keys(e.References)) {
		v, err := value(e.References[k])
		if err != nil {
			return fmt.Errorf("%s: environments.%s.variables.%s: %w", pipeline.SettingsFile, e.Name, k, err)
		}
		e.Variables[k] = v.Reveal()
		e.Secret = append(e.Secret, v)
	}
	return nil
}

// Vars are environment variables. One with the environment's name in front ("PROD_SERVER_HOST")
// wins.
type Vars struct {
	All map[string]string
	Env string
}

// Get is the first of these variables that is set.
func (v Vars) Get(names ...string) string {
	for _, n := range v.Names(names...) {
		if x := v.All[n]; x != "" {
			return x
		}
	}
	return ""
}

// Names are the names by which Get looks for variables, in its order.
func (v Vars) Names(names ...string) (out []string) {
	prefix := strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(v.Env)) + "_"
	for _, p := range []string{prefix, ""} {
		for _, n := range names {
			out = append(out, p+n)
		}
	}
	return out
}

// Resolve finds an environment's settings. Without a server the error says where to name one:
// it is never guessed.
func Resolve(name, project string, settings *pipeline.Settings, all map[string]string) (*Environment, error) {
	s, vars := settings.Environment(name), Vars{all, name}
	timeout, err := time.ParseDuration(s.Timeout)
	if err != nil {
		return nil, fmt.Errorf("%s: environments.%s.timeout: %w", pipeline.SettingsFile, name, err)
	}
	e := &Environment{
		Name: name, Project: project, Stack: project + "_" + name, Settings: s, Timeout: timeout,
		Dir:       cmp.Or(vars.Get("SERVER_DIR"), s.Directory),
		Variables: map[string]string{"PROJECT": project, "ENV": name}, References: map[string]string{},
	}
	if registry := cmp.Or(vars.Get("REGISTRY", "CI_REGISTRY_IMAGE"), settings.Registry); registry != "" {
		e.Variables["REGISTRY"] = strings.TrimSuffix(registry, "/")
	}
	if tag := vars.Get("TAG"); tag != "" {
		e.Variables["TAG"] = tag
	}
	for k, v := range s.Variables {
		if reference.Is(v) {
			e.References[k] = v
			continue
		}
		e.Variables[k] = v
	}
	e.Server = remote.Settings{
		Server: cmp.Or(vars.Get("SERVER_HOST"), s.Server), User: cmp.Or(vars.Get("USER_NAME", "SERVER_USER"), s.User),
		Key: secret.New(vars.Get("SSH_KEY", "SSH_PRIVATE_KEY")), Agent: vars.Get("SSH_AUTH_SOCK"),
		KnownHosts: cmp.Or(vars.Get("SSH_KNOWN_HOSTS"), s.KnownHosts), Jump: cmp.Or(vars.Get("SERVER_JUMP"), s.Jump),
		DockerSocket: s.DockerSocket, DockerHost: vars.Get("DOCKER_HOST"), CertDir: vars.Get("DOCKER_CERT_PATH"), DockerConfig: vars.Get("DOCKER_CONFIG"),
		Home:         vars.Get("HOME"),
		PortainerURL: vars.Get("PORTAINER_URL"), PortainerEndpoint: vars.Get("PORTAINER_ENDPOINT"),
		PortainerToken: secret.New(vars.Get("PORTAINER_TOKEN")), PortainerCA: vars.Get("PORTAINER_CA"),
	}
	return e, nil
}

// Reachable says what is missing to get to the server.
func (e *Environment) Reachable() error {
	if e.Server.Server == "" {
		return fmt.Errorf("no server is named for %s: set SERVER_HOST (or %s_SERVER_HOST) to [user@]host[:port], to portainer://host?endpoint=NAME, or to local for the Docker daemon of this machine, or write environments.%s.server in %s", e.Name, strings.ToUpper(e.Name), e.Name, pipeline.SettingsFile)
	}
	if portainer.Is(e.Server.Server) {
		if _, err := portainer.Parse(e.Server.Server, e.Server.PortainerURL); err != nil {
			return fmt.Errorf("the server of %s: %w", e.Name, err)
		}
	}
	return nil
}

// Branch is the branch that is deployed: as CI says, whose checkouts are detached, else HEAD's.
// A fork's main is not main: it has the fork in front.
func Branch(all map[string]string, head string) string {
	if b := all["CI_COMMIT_BRANCH"]; b != "" {
		return b
	}
	if b := all["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"]; b != "" {
		if from := all["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"]; from != "" && from != all["CI_MERGE_REQUEST_PROJECT_ID"] {
			return cmp.Or(all["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"], "fork/"+from) + ":" + b
		}
		return b
	}
	if b := all["GITHUB_HEAD_REF"]; b != "" {
		if b == all["GITHUB_BASE_REF"] { // no repository merges a branch into itself
			return "fork/" + all["GITHUB_ACTOR"] + ":" + b
		}
		return b
	}
	if b, ok := strings.CutPrefix(all["GITHUB_REF"], "refs/heads/"); ok {
		return b
	}
	if all["CI_COMMIT_TAG"] != "" || strings.HasPrefix(all["GITHUB_REF"], "refs/") {
		return ""
	}
	return head
}

// Who deploys, for records and the lock, and Pipeline, the address of the CI pipeline.
func Who(all map[string]string, host string) string {
	return cmp.Or(all["GITLAB_USER_LOGIN"], all["GITHUB_ACTOR"], cmp.Or(all["USER"], all["LOGNAME"], "somebody")+"@"+cmp.Or(host, "unknown"))
}

// Pipeline is the address of the CI pipeline that runs this, "" outside of CI.
func Pipeline(all map[string]string) string {
	if url := all["CI_PIPELINE_URL"]; url != "" {
		return url
	}
	if all["GITHUB_RUN_ID"] != "" {
		return all["GITHUB_SERVER_URL"] + "/" + all["GITHUB_REPOSITORY"] + "/actions/runs/" + all["GITHUB_RUN_ID"]
	}
	return ""
}
