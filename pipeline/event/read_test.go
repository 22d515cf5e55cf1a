package event

import (
	"reflect"
	"strings"
	"testing"
)

func read(t *testing.T, vars, payload string, git Git, given Given) Event {
	t.Helper()
	e, err := Read(variables(vars), []byte(payload), git, given)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func variables(text string) map[string]string {
	vars := map[string]string{}
	for _, f := range strings.Fields(text) {
		k, v, _ := strings.Cut(f, "=")
		vars[k] = v
	}
	return vars
}

func TestGitLabsVariables(t *testing.T) {
	const always = "GITLAB_CI=true CI_DEFAULT_BRANCH=trunk CI_COMMIT_SHA=c0ffee CI_PROJECT_ID=1 GITLAB_USER_LOGIN=anna CI_PIPELINE_URL=https://git.example.com/p/1 "
	const request = always + "CI_PIPELINE_SOURCE=merge_request_event CI_MERGE_REQUEST_IID=7 CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature CI_MERGE_REQUEST_TARGET_BRANCH_NAME=trunk " +
		"CI_MERGE_REQUEST_DIFF_BASE_SHA=ba5e CI_MERGE_REQUEST_PROJECT_ID=1 "
	base := Event{System: GitLab, Default: "trunk", Commit: "c0ffee", Actor: "anna", Link: "https://git.example.com/p/1"}
	with := func(change func(*Event)) Event {
		e := base
		change(&e)
		return e
	}
	mr := func(change func(*Event)) Event {
		return with(func(e *Event) {
			e.Kind, e.Name, e.Request, e.Branch, e.Target, e.Base = MergeRequest, "merge_request_event", 7, "feature", "trunk", "ba5e"
			change(e)
		})
	}
	for vars, want := range map[string]Event{
		request + "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=1 CI_MERGE_REQUEST_LABELS=tests,build-ping": mr(func(e *Event) { e.Labels = []string{"tests", "build-ping"} }),
		request + "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=1 CI_JOB_MANUAL=true":                       mr(func(e *Event) { e.ByHand = true }),
		request + "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=2":                                          mr(func(e *Event) { e.Fork = true }),
		always + "CI_PIPELINE_SOURCE=push CI_COMMIT_BRANCH=trunk":                                 with(func(e *Event) { e.Kind, e.Name, e.Branch = Push, "push", "trunk" }),
		always + "CI_PIPELINE_SOURCE=push CI_COMMIT_TAG=v1":                                       with(func(e *Event) { e.Kind, e.Name, e.Tag = Tag, "push", "v1" }),
		always + "CI_PIPELINE_SOURCE=schedule CI_COMMIT_BRANCH=trunk":                             with(func(e *Event) { e.Kind, e.Name, e.Branch = Schedule, "schedule", "trunk" }),
		always + "CI_PIPELINE_SOURCE=web CI_COMMIT_BRANCH=feature SLIPWAY_LABELS=tests SLIPWAY_ENV=dev": with(func(e *Event) {
			e.Kind, e.Name, e.Branch, e.Labels, e.Environment = Manual, "web", "feature", []string{"tests"}, "dev"
		}),
	} {
		if got := read(t, vars, "", Git{Branch: "", Commit: "other"}, Given{}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", vars, got, want)
		}
	}
}

func TestGitHubsPayloads(t *testing.T) {
	const always = "GITHUB_ACTIONS=true GITHUB_SHA=c0ffee GITHUB_ACTOR=anna GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=acme/shop GITHUB_RUN_ID=9 "
	const repository = `"repository": {"default_branch": "trunk"}`
	request := func(repo string) string {
		return `{"pull_request": {"number": 7, "labels": [{"name": "tests"}, {"name": "help wanted"}],
			"head": {"ref": "feature", "sha": "4ead", "repo": ` + repo + `}, "base": {"ref": "trunk", "sha": "ba5e", "repo": {"full_name": "acme/shop"}}}, ` + repository + `}`
	}
	mr := Event{
		Kind: MergeRequest, Name: "pull_request", Request: 7, Labels: []string{"tests", "help wanted"}, Branch: "feature", Target: "trunk", Commit: "4ead", Base: "ba5e",
	}
	fork := mr
	fork.Fork = true
	for _, c := range []struct {
		vars, payload string
		want          Event
	}{
		{"GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/7/merge", request(`{"full_name": "acme/shop"}`), mr},
		{"GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/7/merge", request(`{"full_name": "mallory/shop"}`), fork},
		{"GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/7/merge", request(`null`), fork},
		{"GITHUB_EVENT_NAME=push GITHUB_REF=refs/heads/trunk", `{` + repository + `}`, Event{Kind: Push, Name: "push", Branch: "trunk", Commit: "c0ffee"}},
		{"GITHUB_EVENT_NAME=push GITHUB_REF=refs/tags/v1", `{` + repository + `}`, Event{Kind: Tag, Name: "push", Tag: "v1", Commit: "c0ffee"}},
		{"GITHUB_EVENT_NAME=schedule GITHUB_REF=refs/heads/trunk", `{"schedule": "0 3 * * *", ` + repository + `}`, Event{Kind: Schedule, Name: "schedule", Branch: "trunk", Commit: "c0ffee"}},
		{"GITHUB_EVENT_NAME=workflow_dispatch GITHUB_REF=refs/heads/a/b", `{"inputs": {"environment": "dev", "labels": "tests, build-ping"}, ` + repository + `}`,
			Event{Kind: Manual, Name: "workflow_dispatch", Branch: "a/b", Commit: "c0ffee", Environment: "dev", Labels: []string{"tests", "build-ping"}}},
		{"GITHUB_EVENT_NAME=workflow_dispatch GITHUB_REF=refs/heads/trunk", `{"inputs": {"environment": "none"}, ` + repository + `}`,
			Event{Kind: Manual, Name: "workflow_dispatch", Branch: "trunk", Commit: "c0ffee"}},
		{"GITHUB_EVENT_NAME=workflow_dispatch GITHUB_REF=refs/heads/trunk", `{"inputs": null, ` + repository + `}`,
			Event{Kind: Manual, Name: "workflow_dispatch", Branch: "trunk", Commit: "c0ffee"}},
		{"GITHUB_EVENT_NAME=issue_comment GITHUB_REF=refs/heads/trunk", `{` + repository + `}`, Event{Name: "issue_comment", Branch: "trunk", Commit: "c0ffee"}},
	} {
		c.want.System, c.want.Actor, c.want.Link, c.want.Default = GitHub, "anna", "https://github.com/acme/shop/actions/runs/9", "trunk"
		if got := read(t, always+c.vars, c.payload, Git{Branch: "detached"}, Given{}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s:\n got %+v\nwant %+v", c.vars, c.payload, got, c.want)
		}
	}
}

func TestAPayloadThatCannotBeRead(t *testing.T) {
	for payload, want := range map[string]string{
		"":   "reading the event that GitHub describes in $GITHUB_EVENT_PATH: unexpected end of JSON input",
		"{}": "reading the event that GitHub describes in $GITHUB_EVENT_PATH: it is a pull_request, and has no pull_request",
	} {
		_, err := Read(variables("GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request"), []byte(payload), Git{}, Given{})
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", payload, err, want)
		}
	}
}

func TestALaptop(t *testing.T) {
	git := Git{Branch: "feature", Default: "trunk", Commit: "c0ffee"}
	base := Event{Kind: Manual, Branch: "feature", Default: "trunk", Commit: "c0ffee"}
	for _, c := range []struct {
		given Given
		want  func(*Event)
	}{
		{Given{}, func(*Event) {}},
		{Given{Labels: []string{"tests"}, HasLabels: true, Branch: "main"}, func(e *Event) { e.Labels, e.Branch = []string{"tests"}, "main" }},
		{Given{Environment: "dev"}, func(e *Event) { e.Environment = "dev" }},
		{Given{Part: Images}, func(e *Event) { e.ByHand = true }},
		{Given{Part: Deploy, Environment: "dev"}, func(e *Event) { e.ByHand, e.Environment = true, "dev" }},
		// The line that repeats a CI job says the kind, and then asks for no more than that job did.
		{Given{Kind: MergeRequest, Part: Deploy, Environment: "dev", Base: "ba5e"}, func(e *Event) { e.Kind, e.Base = MergeRequest, "ba5e" }},
		{Given{Kind: Manual, Part: Deploy, Environment: "dev"}, func(e *Event) { e.Environment = "dev" }},
		{Given{Kind: Tag}, func(e *Event) { e.Kind, e.Branch = Tag, "" }},
	} {
		want := base
		c.want(&want)
		if got := read(t, "", "", git, c.given); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v:\n got %+v\nwant %+v", c.given, got, want)
		}
	}
	_, err := Read(nil, nil, git, Given{Kind: "merged"})
	if want := "-event=merged: there are merge, push, manual, tag, schedule"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// In CI a job's environment is none that a person chose, or the job dev-deploy would deploy
// whenever it runs.
func TestAJobsEnvironmentIsNoChoiceUnlessItWasStartedByHand(t *testing.T) {
	const vars = "GITLAB_CI=true CI_PIPELINE_SOURCE=merge_request_event CI_MERGE_REQUEST_IID=7"
	given := Given{Part: Deploy, Environment: "dev"}
	if e := read(t, vars, "", Git{}, given); e.Environment != "" || e.ByHand {
		t.Errorf("by itself: %+v", e)
	}
	if e := read(t, vars+" CI_JOB_MANUAL=true", "", Git{}, given); e.Environment != "dev" || !e.ByHand {
		t.Errorf("by hand: %+v", e)
	}
}
