package ci

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"slipway/pipeline"
	"slipway/pipeline/event"
)

// What becomes of a job.
const (
	runs    = "runs"    // by itself
	refused = "refused" // it runs, says why not, and fails
	hand    = "hand"    // when a person starts it: GitLab offers that, GitHub has no such jobs
	never   = "never"
)

// row is an event, and what becomes of the jobs check, images, dev-deploy and prod-deploy.
type row struct {
	kind                     event.Kind
	labels, branch           string
	env                      string // chosen for a run by hand
	fork                     bool
	main                     string // the default branch, "" for main
	check, images, dev, prod string
}

// table is held against the rules, GitLab's file and GitHub's.
var table = []row{
	{kind: event.MergeRequest, branch: "feature", labels: "", check: hand, images: hand, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "tests", check: runs, images: hand, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "build-ping", check: runs, images: runs, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "bug,build-ping,build-backend", check: runs, images: runs, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "build-ping,tests", check: runs, images: runs, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "dev-deploy", check: runs, images: runs, dev: runs, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "tests,dev-deploy", check: runs, images: runs, dev: runs, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "prod-deploy", check: runs, images: runs, dev: hand, prod: refused},
	{kind: event.MergeRequest, branch: "feature", labels: "dev-deploy,prod-deploy", check: runs, images: runs, dev: runs, prod: refused},
	{kind: event.MergeRequest, branch: "main", labels: "prod-deploy", check: runs, images: runs, dev: hand, prod: runs},
	{kind: event.MergeRequest, branch: "main", fork: true, labels: "prod-deploy", check: runs, images: runs, dev: hand, prod: refused},
	{kind: event.MergeRequest, branch: "feature", labels: "bug,tests-flaky,rebuild-ping,predev-deployed", check: hand, images: hand, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "help wanted", check: hand, images: hand, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "build-pong", check: refused, images: refused, dev: hand, prod: hand},
	{kind: event.MergeRequest, branch: "feature", labels: "pord-deploy", check: refused, images: refused, dev: hand, prod: hand},
	{kind: event.Push, branch: "main", check: runs, images: runs, dev: hand, prod: runs},
	{kind: event.Push, branch: "trunk", main: "trunk", check: runs, images: runs, dev: hand, prod: refused},
	{kind: event.Push, branch: "main", main: "trunk", check: never, images: never, dev: never, prod: never},
	{kind: event.Push, branch: "feature", check: never, images: never, dev: never, prod: never},
	{kind: event.Tag, check: runs, images: hand, dev: hand, prod: hand},
	{kind: event.Schedule, branch: "main", check: runs, images: hand, dev: hand, prod: hand},
	{kind: event.Manual, branch: "feature", check: runs, images: hand, dev: hand, prod: hand},
	{kind: event.Manual, branch: "feature", labels: "tests", check: runs, images: hand, dev: hand, prod: hand},
	{kind: event.Manual, branch: "feature", labels: "tests,build-ping", check: runs, images: runs, dev: hand, prod: hand},
	{kind: event.Manual, branch: "feature", labels: "dev-deploy", check: runs, images: runs, dev: runs, prod: hand},
	{kind: event.Manual, branch: "feature", env: "dev", check: runs, images: runs, dev: runs, prod: hand},
	{kind: event.Manual, branch: "feature", env: "prod", check: runs, images: runs, dev: hand, prod: refused},
	{kind: event.Manual, branch: "main", env: "prod", check: runs, images: runs, dev: hand, prod: runs},
	{kind: event.Manual, branch: "main", env: "dev", labels: "prod-deploy", check: runs, images: runs, dev: runs, prod: runs},
}

func (r row) String() string {
	text := string(r.kind) + " " + r.branch
	if r.fork {
		text += " of a fork"
	}
	if r.main != "" {
		text += " (main branch " + r.main + ")"
	}
	return strings.TrimSpace(text + " [" + r.labels + "] " + r.env)
}

// jobs are the CI files' jobs, the part that each does, and what a row wants of it.
var jobs = []struct {
	name string
	part event.Part
	env  string
	want func(row) string
}{
	{"check", event.Check, "", func(r row) string { return r.check }},
	{"images", event.Images, "", func(r row) string { return r.images }},
	{"dev-deploy", event.Deploy, "dev", func(r row) string { return r.dev }},
	{"prod-deploy", event.Deploy, "prod", func(r row) string { return r.prod }},
}

func (r row) mainBranch() string {
	if r.main != "" {
		return r.main
	}
	return "main"
}

// gitlab has the row's predefined variables.
func (r row) gitlab() map[string]string {
	v := map[string]string{"CI_DEFAULT_BRANCH": r.mainBranch()}
	switch r.kind {
	case event.MergeRequest:
		maps.Copy(v, map[string]string{
			"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
			"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": r.branch, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": r.mainBranch(),
		})
		if r.fork {
			v["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = "2"
		}
		if r.labels != "" {
			v["CI_MERGE_REQUEST_LABELS"] = r.labels
		}
		return v
	case event.Tag:
		v["CI_PIPELINE_SOURCE"], v["CI_COMMIT_TAG"] = "push", "v1"
		return v
	case event.Manual:
		v["CI_PIPELINE_SOURCE"], v["SLIPWAY_LABELS"], v["SLIPWAY_ENV"] = "web", r.labels, r.env
	default:
		v["CI_PIPELINE_SOURCE"] = string(r.kind)
	}
	v["CI_COMMIT_BRANCH"] = r.branch
	return v
}

// github has the row's variables and its github context, whose event is the payload.
func (r row) github() (vars map[string]string, context map[string]any) {
	payload := map[string]any{"repository": map[string]any{"default_branch": r.mainBranch()}}
	name, ref := string(r.kind), "refs/heads/"+r.branch
	switch r.kind {
	case event.MergeRequest:
		name, ref = "pull_request", "refs/pull/7/merge"
		labels := []any{}
		for _, l := range event.Split(r.labels) {
			labels = append(labels, map[string]any{"name": l})
		}
		from := "acme/shop"
		if r.fork {
			from = "mallory/shop"
		}
		payload["pull_request"] = map[string]any{
			"number": 7, "labels": labels,
			"head": map[string]any{"ref": r.branch, "sha": "4ead", "repo": map[string]any{"full_name": from}},
			"base": map[string]any{"ref": r.mainBranch(), "sha": "ba5e", "repo": map[string]any{"full_name": "acme/shop"}},
		}
	case event.Tag:
		name, ref = "push", "refs/tags/v1"
	case event.Manual:
		name = "workflow_dispatch"
		env := r.env
		if env == "" {
			env = event.NoEnvironment
		}
		payload["inputs"] = map[string]any{"labels": r.labels, "environment": env}
	}
	short := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/"), "refs/pull/")
	kind := "branch"
	if r.kind == event.Tag {
		kind = "tag"
	}
	return map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name, "GITHUB_REF": ref},
		map[string]any{"event_name": name, "ref": ref, "ref_name": short, "ref_type": kind, "event": payload}
}

func TestTheRules(t *testing.T) {
	known := event.Known{Settings: &pipeline.Settings{}, Services: []string{"backend", "ping"}, Packed: []string{"backend", "ping"}, Environments: []string{"dev", "prod"}}
	for _, r := range table {
		fromGitLab := r.gitlab()
		fromGitLab["GITLAB_CI"] = "true"
		fromGitHub, context := r.github()
		payload, err := json.Marshal(context["event"])
		must(t, err)
		for _, vars := range []map[string]string{fromGitLab, fromGitHub} {
			for _, j := range jobs {
				given := event.Given{Part: j.part, Environment: j.env}
				e, err := event.Read(vars, payload, event.Git{}, given)
				must(t, err)
				if got, want := outcome(event.Decide(e, known), j.part, j.env), j.want(r); got != want && (got != "" || want != hand && want != never) {
					t.Errorf("%s, read as %s: %s is %q, want %s", r, e, j.name, got, want)
				}
				if j.want(r) != hand || e.System == event.GitHub {
					continue
				}
				vars := maps.Clone(vars)
				vars["CI_JOB_MANUAL"] = "true"
				e, err = event.Read(vars, nil, event.Git{}, given)
				must(t, err)
				if got := outcome(event.Decide(e, known), j.part, j.env); got == "" {
					t.Errorf("%s: started by hand, %s does nothing", r, j.name)
				}
			}
		}
	}
}

// outcome is what a job of a part does: it runs, it refuses, or nothing asks for it ("").
func outcome(d event.Decision, part event.Part, env string) string {
	if !d.Asks(part, env) {
		return ""
	}
	if len(d.Only(part, env).Refused) > 0 {
		return refused
	}
	return runs
}
