package event

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"slipway/pipeline"
)

// Whatever a CI system says, what is decided names services and environments that are there, and
// prod is of the main branch of this repository alone.
func FuzzEvent(f *testing.F) {
	const github = "GITHUB_ACTIONS=true GITHUB_SHA=c0ffee GITHUB_REF=refs/heads/main GITHUB_EVENT_NAME="
	for _, vars := range []string{
		"GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main",
		"GITLAB_CI=true CI_MERGE_REQUEST_IID=7 CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=main CI_MERGE_REQUEST_SOURCE_PROJECT_ID=2 CI_PROJECT_ID=1 CI_MERGE_REQUEST_LABELS=tests,build-ping,prod-deploy,dev-deploy",
		"GITLAB_CI=true CI_PIPELINE_SOURCE=web CI_COMMIT_BRANCH=x SLIPWAY_LABELS=tests SLIPWAY_ENV=prod CI_JOB_MANUAL=true",
		"", "GITLAB_CI=true CI_PIPELINE_SOURCE=web CI_COMMIT_BRANCH=\x1b[2J SLIPWAY_LABELS=build-\x1b[2J,\u009b2J-deploy",
	} {
		f.Add(vars, "", "dev", "check")
		f.Add(vars, "", "\x1b[2J'\\\u202e", "")
	}
	for _, payload := range []string{
		`{"repository":{"default_branch":"main"}}`,
		`{"pull_request":{"number":7,"labels":[{"name":"prod-deploy"}],"head":{"ref":"main","sha":"1"},"base":{"ref":"main","sha":"2","repo":{"full_name":"a/b"}}}}`,
		`{"inputs":{"labels":["tests"],"environment":7}}`, `{"pull_request":null}`, `[]`, `{"pull_request":{"labels":[null]}}`,
	} {
		for _, name := range []string{"push", "pull_request", "workflow_dispatch", "schedule", "release"} {
			f.Add(github+name, payload, "", "")
		}
	}
	settings, err := pipeline.ParseSettings(nil)
	if err != nil {
		f.Fatal(err)
	}
	known := Known{Settings: settings, Services: []string{"backend", "ping"}, Packed: []string{"ping"}, Environments: []string{"dev", "prod"}}
	f.Fuzz(func(t *testing.T, vars, payload, env, part string) {
		e, err := Read(variables(vars), []byte(payload), Git{Branch: "feature", Default: "main", Commit: "c0ffee"}, Given{Environment: env, Part: Part(part)})
		if err != nil {
			return
		}
		d := Decide(e, known)
		for _, s := range append(d.Check.Services, d.Images.Services...) {
			if !slices.Contains(known.Services, s) {
				t.Errorf("the service %q is not there", s)
			}
		}
		for _, to := range d.Deploy {
			if !slices.Contains(known.Environments, to.Env) {
				t.Errorf("the environment %q is not there", to.Env)
			}
			if to.Env == "prod" && (e.Fork || e.Branch != "main") {
				t.Errorf("prod is deployed from %q (a fork's: %t)", e.Branch, e.Fork)
			}
		}
		shown := []string{e.String(), strings.ReplaceAll(d.String(), "\n", "")}
		for _, only := range Parts {
			shown = append(shown, Repeat("c0ffee", e, d, only, env))
		}
		for _, r := range d.Refused {
			shown = append(shown, r.Text)
		}
		for _, text := range shown {
			if strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("it gives a terminal orders: %q", text)
			}
		}
	})
}
