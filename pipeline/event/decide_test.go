package event

import (
	"fmt"
	"strings"
	"testing"

	"slipway/pipeline"
)

// known is a repository with the services backend, ping and tool, which has no image, where a
// merge request has changed ping and tool.
func known(t *testing.T, settings string) Known {
	t.Helper()
	s, err := pipeline.ParseSettings([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	return Known{
		Settings: s, Services: []string{"backend", "ping", "tool"}, Packed: []string{"backend", "ping"},
		Affected: []string{"ping", "tool"}, Environments: []string{"dev", "prod"},
	}
}

// short is a decision on one line: parts, then what is refused and noted.
func short(d Decision) string {
	var parts []string
	if len(d.Check.Why) > 0 {
		parts = append(parts, "check "+strings.Join(d.Check.Services, ","))
	}
	if len(d.Images.Why) > 0 {
		parts = append(parts, "images "+strings.Join(d.Images.Services, ","))
	}
	for _, t := range d.Deploy {
		parts = append(parts, "deploy "+t.Env)
	}
	for _, r := range d.Refused {
		parts = append(parts, fmt.Sprintf("refused %s%s", r.Part, r.Env))
	}
	if len(d.Notes) > 0 {
		parts = append(parts, "notes")
	}
	return strings.Join(parts, "; ")
}

func TestDecide(t *testing.T) {
	const everything = "check backend,ping,tool; images backend,ping"
	mr := func(labels string) Event {
		return Event{Kind: MergeRequest, Branch: "feature", Target: "main", Default: "main", Labels: Split(labels)}
	}
	for _, c := range []struct {
		event    Event
		settings string
		want     string
	}{
		// Labels.
		{event: mr(""), want: "notes"},
		{event: mr("bug,tests-flaky,rebuild-ping,deployed"), want: "notes"},
		{event: mr("tests"), want: "check ping,tool"},
		{event: mr("build-ping"), want: "check ping; images ping"},
		{event: mr("build-ping,build-backend"), want: "check backend,ping; images backend,ping"},
		{event: mr("build-backend,tests"), want: "check backend,ping,tool; images backend"},
		{event: mr("dev-deploy"), want: everything + "; deploy dev"},
		{event: mr("dev-deploy,dev-deploy"), want: everything + "; deploy dev"},
		{event: mr("prod-deploy"), want: everything + "; refused deployprod"},
		{event: mr("dev-deploy,prod-deploy"), want: everything + "; deploy dev; refused deployprod"},
		{event: mr("build-pong"), want: "check ; images ; refused "},
		{event: mr("pord-deploy"), want: everything + "; refused pord"},
		// Labels with names of their own.
		{event: mr("tests,build-ping,dev-deploy"), settings: "labels: {tests: ci, build: 'image::*', deploy: 'to::*'}", want: "notes"},
		{event: mr("ci,image::ping,to::dev"), settings: "labels: {tests: ci, build: 'image::*', deploy: 'to::*'}", want: everything + "; deploy dev"},
		// Who may deploy.
		{event: mr("prod-deploy"), settings: "environments: {prod: {branches: [main, feat*]}}", want: everything + "; deploy prod"},
		{event: mr("dev-deploy"), settings: "environments: {dev: {branches: [main]}}", want: everything + "; refused deploydev"},
		{event: Event{Kind: MergeRequest, Branch: "main", Target: "release", Labels: []string{"prod-deploy"}}, want: everything + "; deploy prod"},
		{event: Event{Kind: MergeRequest, Branch: "main", Target: "main", Fork: true, Labels: []string{"prod-deploy", "dev-deploy"}}, want: everything + "; deploy dev; refused deployprod"},
		// Branches.
		{event: Event{Kind: Push, Branch: "main"}, want: everything + "; deploy prod"},
		{event: Event{Kind: Push, Branch: "feature"}, want: "notes"},
		{event: Event{Kind: Push, Branch: "feature", Labels: Split("bug")}, want: "notes"},
		{event: Event{Kind: Push, Branch: "feature", Labels: Split("build-ping")}, want: "check ping; images ping"},
		{event: Event{Kind: Push, Branch: "feature", Labels: Split("dev-deploy,prod-deploy")}, want: everything + "; deploy dev; refused deployprod"},
		{event: Event{Kind: Push, Branch: "trunk", Default: "trunk"}, want: everything + "; refused deployprod"},
		{event: Event{Kind: Push, Branch: "trunk", Default: "trunk"}, settings: "environments: {prod: {branches: [trunk]}}", want: everything + "; deploy prod"},
		{event: Event{Kind: Push, Branch: "main"}, settings: "environments: {prod: {branches: [release]}}", want: everything + "; notes"},
		{event: Event{Kind: Push, Branch: "main", Default: "trunk"}, want: "notes"},
		// The rest.
		{event: Event{Kind: Tag, Tag: "v1"}, want: "check backend,ping,tool"},
		{event: Event{Kind: Schedule, Branch: "main"}, want: "check backend,ping,tool"},
		{event: Event{Kind: Schedule, Branch: "main", Environment: "dev"}, want: everything + "; deploy dev"},
		{event: Event{Kind: Manual, Branch: "feature"}, want: "check backend,ping,tool"},
		{event: Event{Kind: Manual, Branch: "feature", Environment: "dev"}, want: everything + "; deploy dev"},
		{event: Event{Kind: Manual, Branch: "feature", Environment: "prod"}, want: everything + "; refused deployprod"},
		{event: Event{Kind: Manual, Environment: "prod"}, want: everything + "; refused deployprod"},
		{event: Event{Kind: Manual, Branch: "main", Environment: "prod", Labels: []string{"prod-deploy"}}, want: everything + "; deploy prod"},
		{event: Event{Kind: Manual, Branch: "feature", Labels: []string{"build-ping"}}, want: "check ping; images ping"},
		{event: Event{Name: "issue_comment"}, want: "notes"},
		// A job that a person started.
		{event: Event{Kind: MergeRequest, Branch: "feature", ByHand: true}, want: "check ping,tool; images ping"},
		{event: Event{Kind: MergeRequest, Branch: "feature", ByHand: true, Labels: []string{"build-backend"}}, want: "check backend; images backend"},
		{event: Event{Kind: MergeRequest, Branch: "feature", ByHand: true, Environment: "prod"}, want: everything + "; refused deployprod"},
	} {
		if got := short(Decide(c.event, known(t, c.settings))); got != c.want {
			t.Errorf("%s (%s):\n got %s\nwant %s", c.event, c.settings, got, c.want)
		}
	}
}

func TestRefusalsAreSentencesThatSayWhatToDo(t *testing.T) {
	for labels, want := range map[string]string{
		"build-pong":   `the label build-pong asks for an image of the service "pong", which does not exist: did you mean build-ping?`,
		"build-zzzzzz": `the label build-zzzzzz asks for an image of the service "zzzzzz", which does not exist: there are build-backend, build-ping, build-tool`,
		"pord-deploy":  `the label pord-deploy asks for the environment "pord", which does not exist: did you mean prod-deploy?`,
		"prod-deploy":  `the label prod-deploy is refused: prod is deployed from main only, and this is the branch feature: merge first, or allow others with environments.prod.branches in slipway.yaml`,
	} {
		d := Decide(Event{Kind: MergeRequest, Branch: "feature", Labels: Split(labels)}, known(t, ""))
		if len(d.Refused) != 1 || d.Refused[0].Text != want {
			t.Errorf("%s: refused %+v\nwant %s", labels, d.Refused, want)
		}
	}
	fork := Decide(Event{Kind: MergeRequest, Branch: "main", Fork: true, Labels: []string{"prod-deploy"}}, known(t, ""))
	if want := "the label prod-deploy is refused: prod is deployed from main only, and this branch is a fork's, whatever its name: merge first"; fork.Refused[0].Text != want {
		t.Errorf("a fork: %s\nwant %s", fork.Refused[0].Text, want)
	}
	hand := Decide(Event{Kind: Manual, Branch: "main", Environment: "stage"}, known(t, ""))
	if want := `the deploy chosen by hand asks for the environment "stage", which does not exist: there are dev, prod`; hand.Refused[0].Text != want {
		t.Errorf("by hand: %s\nwant %s", hand.Refused[0].Text, want)
	}
}

// Where it is not known what a merge request changes, nothing is taken for unchanged.
func TestWithoutABaseAllIsAffected(t *testing.T) {
	k := known(t, "")
	k.Affected = nil
	if got := short(Decide(Event{Kind: MergeRequest, Labels: []string{"tests"}}, k)); got != "check backend,ping,tool" {
		t.Errorf("got %s", got)
	}
	k.Affected = []string{}
	if got := short(Decide(Event{Kind: MergeRequest, Labels: []string{"tests"}}, k)); got != "check " {
		t.Errorf("a merge request that changes no service: got %s", got)
	}
}

func TestARepositoryOfManifestsAloneIsDeployed(t *testing.T) {
	k := Known{Settings: &pipeline.Settings{}, Environments: []string{"prod"}}
	d := Decide(Event{Kind: Push, Branch: "main"}, k)
	if got := short(d); got != "check ; images ; deploy prod" || d.Nothing() {
		t.Errorf("got %s, nothing to do: %t", got, d.Nothing())
	}
}

func TestOnlyLeavesOnePart(t *testing.T) {
	e := Event{Kind: MergeRequest, Branch: "feature", Labels: Split("dev-deploy,prod-deploy")}
	d := Decide(e, known(t, ""))
	for _, c := range []struct {
		part Part
		env  string
		want string
	}{
		{Check, "", "check backend,ping,tool"},
		{Images, "", "images backend,ping"},
		{Deploy, "", "deploy dev; refused deployprod"},
		{Deploy, "dev", "deploy dev"},
		{Deploy, "prod", "refused deployprod"},
		{"", "", "check backend,ping,tool; images backend,ping; deploy dev; refused deployprod"},
	} {
		if got := short(d.Only(c.part, c.env)); got != c.want {
			t.Errorf("only %s %s: got %s, want %s", c.part, c.env, got, c.want)
		}
	}
	// A label that is a mistake stops every part: nobody looks into a job that went well.
	wrong := Decide(Event{Kind: MergeRequest, Labels: Split("tests,build-pong")}, known(t, ""))
	for _, p := range Parts {
		if len(wrong.Only(p, "").Refused) != 1 {
			t.Errorf("only %s: the label that names no service is not refused", p)
		}
	}
}

func TestDecisionSaysWhy(t *testing.T) {
	e := Event{Kind: MergeRequest, System: GitLab, Request: 7, Branch: "feature", Target: "main", Labels: Split("tests,build-ping,dev-deploy")}
	want := `merge request 7 of feature into main, labels tests, build-ping, dev-deploy
  check   backend, ping, tool (tests; build-ping; dev-deploy)
  images  backend, ping (build-ping; dev-deploy)
  deploy  dev (dev-deploy)
`
	if got := e.String() + "\n" + Decide(e, known(t, "")).String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
