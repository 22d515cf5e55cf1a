package main

import (
	"fmt"
	"os"
	"strings"
)

// settle gives this process the settings of the recorded run, before anything reads them again.
// The engine that a person names here, and mirrors, stay this machine's.
func (rep repetition) settle(own machine) {
	for _, v := range os.Environ() { // a repetition is no job: what CI says here is of another run
		name, _, _ := strings.Cut(v, "=")
		for _, prefix := range []string{"GITLAB_CI", "GITHUB_ACTIONS", "CI_COMMIT_", "CI_MERGE_REQUEST_", "CI_PIPELINE_", "CI_JOB_", "GITHUB_REF", "GITHUB_HEAD_REF", "GITHUB_BASE_REF", "GITHUB_EVENT_", "NOTIFY_URL"} {
			if strings.HasPrefix(name, prefix) || strings.HasSuffix(name, "_NOTIFY_URL") {
				unset(name)
			}
		}
	}
	if rep.recorded == nil {
		return
	}
	if e := settingOf(rep.with.Engine); own.engine == "" && e != "" {
		set("SLIPWAY_ENGINE", e)
	}
	set("SLIPWAY_TOOLCHAIN", rep.with.Toolchain)
	set("REGISTRY", rep.with.Registry)
	if rep.with.Registry == "" {
		unset("CI_REGISTRY_IMAGE")
	}
	if rep.with.Registry == "" || hostOf(rep.with.Registry) == hostOf(own.registry) {
		return
	}
	// A record may come from anywhere: what it names does not get this machine's passwords.
	for _, name := range []string{"REGISTRY_USER", "REGISTRY_PASSWORD", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD"} {
		if os.Getenv(name) != "" {
			fmt.Fprintf(os.Stderr, "slipway: warning: %s is not used: the run's registry is %s, and REGISTRY here names another\n", name, rep.with.Registry)
			unset(name)
		}
	}
}

func set(name, value string) {
	if value == "" {
		unset(name)
		return
	}
	_ = os.Setenv(name, value) // fails for a name with "=" only
}

func unset(name string) { _ = os.Unsetenv(name) }

// settingOf is the setting that opens an engine of this name, "" where that is this machine's
// own choice. One at an address is another machine's: the embedded one is nearest to it.
func settingOf(engine string) string {
	switch kind, _, _ := strings.Cut(engine, " "); kind {
	case "Docker":
		return "docker"
	case "Dagger":
		return "dagger"
	case "embedded", "BuildKit":
		return "embedded"
	}
	return ""
}

// hostOf is a registry's host.
func hostOf(registry string) string {
	host, _, _ := strings.Cut(registry, "/")
	return host
}
