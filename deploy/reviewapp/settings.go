// Package reviewapp knows review apps: stacks that are made from another environment's manifest,
// beside it and under names of their own, and that go when their time is up.
package reviewapp

import (
	"maps"
	"strings"

	"slipway/deploy/environment"
	"slipway/pipeline"
)

// Settings are those by which a review app is deployed: of the environment that it is made
// from, but for the directory on the server, whose files are that environment's.
func Settings(s *pipeline.Settings, name, from string) *pipeline.Settings {
	out := *s
	out.Environments = maps.Clone(s.Environments)
	if out.Environments == nil {
		out.Environments = map[string]pipeline.EnvironmentSettings{}
	}
	e := s.Environment(from)
	e.Directory = ""
	out.Environments[name] = e
	return &out
}

// Variables are the process's environment for a review app: what is set for the environment
// that it is made from (DEV_SERVER_HOST) is set for it too, unless it has its own.
func Variables(all map[string]string, name, from string) map[string]string {
	out := maps.Clone(all)
	theirs, ours := prefix(from), prefix(name)
	for k, v := range all {
		if rest, ok := strings.CutPrefix(k, theirs); ok && out[ours+rest] == "" {
			out[ours+rest] = v
		}
	}
	return out
}

// prefix is what a variable of one environment begins with: "DEV_".
func prefix(env string) string { return (environment.Vars{Env: env}).Names("")[0] }
