package pipeline

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// EnvironmentSettings is one environment of slipway.yaml. Every field is optional; the
// environment variables named beside them win over it.
type EnvironmentSettings struct {
	Server       string            `yaml:"server"`        // SERVER_HOST: [user@]host[:port], tcp://host:port, portainer://host?endpoint=NAME, context:NAME or local
	User         string            `yaml:"user"`          // USER_NAME, or SERVER_USER
	Jump         string            `yaml:"jump"`          // SERVER_JUMP: [user@]host[:port] to go through
	Directory    string            `yaml:"directory"`     // SERVER_DIR: where the environment's files are copied to
	KnownHosts   string            `yaml:"known_hosts"`   // SSH_KNOWN_HOSTS: the text, or a path in the repository
	DockerSocket string            `yaml:"docker_socket"` // the daemon's socket on the server
	Branches     []string          `yaml:"branches"`      // which may deploy, as patterns; prod: main, others: any
	Overrides    []string          `yaml:"overrides"`     // compose files laid over the manifest, in order
	Variables    map[string]string `yaml:"variables"`     // what the manifest's ${…} may name
	Retention    int               `yaml:"retention"`     // releases that are kept; 10
	Timeout      string            `yaml:"timeout"`       // of a deploy's waiting; 10m
	Webhooks     map[string]string `yaml:"webhooks"`      // Portainer's webhooks by service, as references (env://NAME)
	CollectAfter string            `yaml:"collect_after"` // how long unused images and stopped containers stay on the nodes, or never; 24h
	Mounts       []string          `yaml:"mounts"`        // of the node, that deploys refuse unless they are named here: /var/run/docker.sock, /:ro
}

var environmentKeys = []string{"server", "user", "jump", "directory", "known_hosts", "docker_socket", "branches", "overrides", "variables", "retention", "timeout", "webhooks", "collect_after", "mounts"}

func (s *Settings) validateEnvironments(bad func(key, format string, args ...any) error) error {
	for _, name := range sortedKeys(s.Environments) {
		if err := ValidateEnvironment(name); err != nil {
			return bad("environments", "%v", err)
		}
		e, at := s.Environments[name], "environments."+name
		for _, o := range e.Overrides {
			if err := insideRepo(o); err != nil {
				return bad(at+".overrides", "%v", err)
			}
		}
		for _, b := range e.Branches {
			if _, err := path.Match(b, ""); err != nil || b == "" {
				return bad(at+".branches", "%q is no pattern for branches: write a name, or one with * for any characters (release-*)", b)
			}
		}
		if e.Retention < 0 || e.Retention > 1000 {
			return bad(at+".retention", "%d releases: write a number from 1 to 1000", e.Retention)
		}
		if e.Timeout != "" {
			if d, err := time.ParseDuration(e.Timeout); err != nil || d <= 0 {
				return bad(at+".timeout", "%q is no time: write it as 90s, 10m or 1h30m", e.Timeout)
			}
		}
		for _, service := range sortedKeys(e.Webhooks) {
			if !elsewhere(e.Webhooks[service]) {
				return bad(at+".webhooks."+service, "a webhook's address is a credential, and this file is not secret: write where the address is (env://NAME, file://PATH or vault://…)")
			}
		}
		for _, m := range e.Mounts {
			if dir := strings.TrimSuffix(m, ":ro"); (!path.IsAbs(dir) || path.Clean(dir) != dir || strings.Contains(dir, ":")) && !strings.HasPrefix(dir, `\\.\pipe\`) {
				return bad(at+".mounts", "%q is no path of a node: write it as /var/run/docker.sock, or as /:ro where it is only to be read", m)
			}
		}
		if _, err := e.CollectAge(); err != nil {
			return bad(at+".collect_after", "%q is no time: write it as 90m or 24h, or never", e.CollectAfter)
		}
	}
	return nil
}

// CollectAge is CollectAfter as a time, negative for never.
func (e EnvironmentSettings) CollectAge() (time.Duration, error) {
	switch e.CollectAfter {
	case "":
		return 24 * time.Hour, nil
	case "never":
		return -1, nil
	}
	d, err := time.ParseDuration(e.CollectAfter)
	if err == nil && d < 0 {
		err = fmt.Errorf("%s is before now", e.CollectAfter)
	}
	return d, err
}

// Environment gives an environment's settings, empty ones where slipway.yaml has none for it.
func (s *Settings) Environment(name string) EnvironmentSettings {
	e := s.Environments[name]
	if e.Retention == 0 {
		e.Retention = 10
	}
	if e.Timeout == "" {
		e.Timeout = "10m"
	}
	if e.Branches == nil {
		e.Branches = []string{"*"}
		if name == "prod" {
			e.Branches = []string{"main"}
		}
	}
	return e
}

// MayDeploy says why a branch may not deploy to an environment, nil where it may. branch is
// "" where it is not known: a detached HEAD, a tag.
func (e EnvironmentSettings) MayDeploy(env, branch string) error {
	var allowed string
	for i, b := range e.Branches {
		if ok, _ := path.Match(b, branch); b == "*" || ok && branch != "" {
			return nil
		}
		if i > 0 {
			allowed += ", "
		}
		allowed += b
	}
	this := "this is the branch " + branch
	if branch == "" {
		this = "HEAD is on no branch"
	}
	return fmt.Errorf("%s is deployed from %s only, and %s: merge first, or allow others with environments.%s.branches in %s", env, allowed, this, env, SettingsFile)
}

// elsewhere tells a reference from a value (slipway/secret/reference has what resolves it).
func elsewhere(value string) bool {
	kind, _, found := strings.Cut(value, "://")
	return found && slices.Contains([]string{"env", "file", "vault"}, kind)
}
