package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"slipway/test/fakechat"
	"slipway/test/fakegitlab"
	"slipway/test/faulty"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

const (
	gitlabToken = "glpat-c4n4ry0000000000000"
	jobToken    = "glcbt-c4n4ryj0b"
)

// fakeGitLab has the project acme/shop (42) with the merge request !5 of the branch feature.
func fakeGitLab(t testing.TB, labels ...string) *fakegitlab.Server {
	t.Helper()
	s := fakegitlab.Start(t)
	s.AddUser(gitlabToken, fakegitlab.User{ID: 7, Username: "bot", Scopes: []string{"api"}})
	s.AddUser("glpat-reading", fakegitlab.User{ID: 8, Username: "reader", Scopes: []string{"read_api"}})
	s.AddUser("glpat-stranger", fakegitlab.User{ID: 9, Username: "stranger", Scopes: []string{"api"}})
	s.AddProject(fakegitlab.Project{ID: 42, Path: "acme/shop", Members: map[string]int{"bot": fakegitlab.Reporter, "reader": fakegitlab.Reporter}})
	s.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 5, State: "opened", Labels: labels, Branch: "feature"})
	return s
}

// onGitLab are the variables of a job in the merge request's pipeline.
func onGitLab(s *fakegitlab.Server, pipeline int, labels string) []string {
	return []string{
		"GITLAB_CI=true", "CI_API_V4_URL=" + s.URL, "CI_PROJECT_ID=42", "CI_MERGE_REQUEST_PROJECT_ID=42", "CI_PIPELINE_SOURCE=merge_request_event",
		"CI_MERGE_REQUEST_IID=5", "CI_MERGE_REQUEST_LABELS=" + labels, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main",
		"CI_DEFAULT_BRANCH=main", "CI_COMMIT_SHA=4605cc6e0f9d2f4b8a57a6d1e2c3b4a5968778f0", fmt.Sprint("CI_PIPELINE_ID=", pipeline),
		"CI_PIPELINE_URL=https://gitlab.example.com/acme/shop/-/pipelines/1", "CI_JOB_TOKEN=" + jobToken, "GITLAB_TOKEN=" + gitlabToken, "GITLAB_USER_LOGIN=anna",
	}
}

// repeats is the command that a call to ci:run ends with.
func repeats(t testing.TB, r result) string {
	t.Helper()
	_, line, ok := strings.Cut(r.Stderr[strings.LastIndex(strings.TrimRight(r.Stderr, "\n"), "\n")+1:], "slipway: to repeat this: ")
	if !ok {
		t.Fatalf("ci:run does not end with how to repeat it:\n%s", r.Stderr)
	}
	return strings.TrimSpace(line)
}

// onlyNote is what the only comment on the merge request says, without anything secret.
func onlyNote(t testing.TB, s *fakegitlab.Server, says ...string) string {
	t.Helper()
	notes := s.Notes(42, 5)
	if len(notes) != 1 {
		t.Fatalf("there are %d comments, want 1: %+v", len(notes), notes)
	}
	holds(t, "the comment", notes[0].Body, says...)
	return notes[0].Body
}

// holds wants texts in another, and no canary.
func holds(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
	if strings.Contains(text, "c4n4ry") {
		t.Errorf("%s has a secret:\n%s", what, text)
	}
}

// without wants none of these in a text.
func without(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%s has %q:\n%s", what, p, text)
		}
	}
}

func TestAMergeRequestIsToldOfItsImages(t *testing.T) {
	s, reg := fakeGitLab(t), registry.Start(t, registry.Options{})
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY app.txt /\n", "app.txt": rand.Text()}) // that the engine has not seen
	c := in(r.Dir, "REGISTRY="+reg.Host)
	tag := func() string { return gitrepo.Epoch.Format("20060102_") + r.Head()[:8] }
	first := "20240725_" + r.Head()[:8]

	res := c.with(onGitLab(s, 100, "build-box")...).slipway(t, "ci:run").Exits(t, 0)
	body := onlyNote(t, s, "### ✅ Images", "`"+first+"`", "sha256:", "built", "commit `4605cc6e0f9d`", "https://gitlab.example.com/acme/shop/-/pipelines/1")
	without(t, "the comment", body, "run it again", "❌")
	holds(t, "stderr", res.Stderr, "slipway: comment images on merge request !5 of project 42: created")

	c.with(onGitLab(s, 101, "build-box")...).slipway(t, "ci:run").Exits(t, 0)
	onlyNote(t, s, "`"+first+"`", "unchanged", "<!-- run:101 -->")

	// It names what only this job may know.
	r.Write("services/box/Dockerfile", "FROM scratch\nCOPY "+jobToken+" missing.txt /\n")
	r.Commit("Break", later(1))
	res = c.with(onGitLab(s, 102, "build-box")...).slipway(t, "ci:run", "-only=images").Exits(t, 1)
	body = onlyNote(t, s, "### ❌ Images: `box` failed", "box`: image", "is not in the build context", "services/box/Dockerfile:2", "```sh\n"+repeats(t, res)+"\n```")
	without(t, "the comment", body, tag(), first)

	// A pipeline that began earlier ends later.
	r.Write("services/box/Dockerfile", "FROM scratch\nCOPY app.txt /\n")
	r.Commit("Mend", later(2))
	c.with(onGitLab(s, 99, "build-box")...).slipway(t, "ci:run").Exits(t, 0)
	onlyNote(t, s, "### ❌ Images")

	// It does not come to a service at all: the registry is not there.
	res = c.with(onGitLab(s, 103, "build-box")...).with("REGISTRY=127.0.0.1:1").slipway(t, "ci:run").Exits(t, 1)
	onlyNote(t, s, "#### pipeline: images", "127.0.0.1:1", repeats(t, res))

	// A label that is a mistake.
	c.with(onGitLab(s, 104, "build-bax")...).slipway(t, "ci:run").Exits(t, 2)
	onlyNote(t, s, "❌", `asks for an image of the service "bax", which does not exist: did you mean build-box?`)
	if got := s.Commands(); len(got) > 0 {
		t.Errorf("comments carried out %q", got)
	}
}

// A check that fails is told, and that it does no more; one that goes well is no news.
func TestAMergeRequestIsToldOfAFailedCheck(t *testing.T) {
	s := fakeGitLab(t)
	r := sample(t, "alpha")
	c := in(r.Dir)
	c.with(onGitLab(s, 200, "tests")...).slipway(t, "ci:run", "-only=check").Exits(t, 0)
	if n := s.Notes(42, 5); len(n) > 0 {
		t.Errorf("a check that went well is told: %+v", n)
	}
	r.Write("services/alpha/sum_test.go", "package main\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif got := 1 + 1; got != 3 {\n\t\tt.Errorf(\"1 + 1 is %d, want 3\", got)\n\t}\n}\n")
	r.Commit("Sum", later(1))
	res := c.with(onGitLab(s, 201, "tests")...).slipway(t, "ci:run", "-only=check").Exits(t, 1)
	onlyNote(t, s, "`alpha` failed", "alpha`: test", "services/alpha/sum_test.go:7: TestSum: 1 + 1 is 2, want 3", repeats(t, res))
	must(t, removed(r, "services/alpha/sum_test.go"))
	r.Commit("Mend", later(2))
	c.with(onGitLab(s, 202, "tests")...).slipway(t, "ci:run", "-only=check").Exits(t, 0)
	without(t, "the comment", onlyNote(t, s, "### ✅ Checks", "`alpha`"), "failed")
}

// Whatever is wrong with GitLab or with the token, the run ends as it would without.
func TestAMissingCommentIsAWarning(t *testing.T) {
	t.Parallel()
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	var all missings // side by side: they wait for the most part
	for name, test := range map[string]struct {
		env   string
		fault faulty.Fault
		says  string
	}{
		"no token":         {env: "GITLAB_TOKEN=", says: "CI_JOB_TOKEN cannot comment on merge requests: create a project access token with the scope api"},
		"no vault":         {env: "GITLAB_TOKEN=file:///nowhere/token", says: "GITLAB_TOKEN is file:///nowhere/token: there is no such file"},
		"unknown token":    {env: "GITLAB_TOKEN=glpat-c4n4ry-old", says: "(401 Unauthorized), it is wrong, expired or revoked"},
		"read-only token":  {env: "GITLAB_TOKEN=glpat-reading", says: "it needs the scope api"},
		"stranger's token": {env: "GITLAB_TOKEN=glpat-stranger", says: "404 Not Found"},
		"too often":        {fault: faulty.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}}, says: "429 Too Many Requests"},
		"out of order":     {fault: faulty.Fault{Status: 502}, says: "502 Bad Gateway"},
		"no answer":        {fault: faulty.Fault{Hang: true}, says: "no comment was written on merge request !5"},
		"cut off":          {fault: faulty.Fault{Cut: true}, says: "no comment was written on merge request !5"},
		"nobody there":     {env: "CI_API_V4_URL=http://127.0.0.1:1/api/v4", says: "no comment was written on merge request !5"},
		"no GitLab":        {env: "CI_API_V4_URL=", says: "CI_API_V4_URL"},
	} {
		s := fakeGitLab(t)
		if test.env == "" {
			test.fault.Times = -1
			s.Faults.Add(test.fault)
		}
		// A refusal, so that no engine is needed: exit code 2 stays.
		p := in(r.Dir).with(onGitLab(s, 300, "build-bax,prod-deploy")...).with(test.env).start(t, "ci:run")
		all = append(all, missing{name, test.says, p, func() int { return len(s.Notes(42, 5)) }})
	}
	all.wait(t)
}

// missing is a run whose comment cannot be written, with a warning for it.
type missing struct {
	name, says string
	*process
	comments func() int
}

type missings []missing

// wait wants each run to end as without comments, and to say once why there is none.
func (all missings) wait(t *testing.T) {
	t.Helper()
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			res := m.process.wait(t).Exits(t, 2)
			holds(t, "stderr", res.Stderr, m.says)
			if n := strings.Count(res.Stderr, "warning:"); n != 1 {
				t.Errorf("there are %d warnings, want 1:\n%s", n, res.Stderr)
			}
			if m.comments() > 0 {
				t.Error("a comment is there all the same")
			}
		})
	}
}

// A branch's pipeline does not know the labels of its merge request, and asks for them. Those of
// another branch that has the same commit count for nothing.
func TestABranchAsksForItsLabels(t *testing.T) {
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY app.txt /\n", "app.txt": "one\n"})
	for _, env := range []string{"dev", "prod"} {
		r.Write("manifests/docker-compose."+env+".yaml", "services:\n  box:\n    image: ${REGISTRY}/box:${TAG}\n")
	}
	r.Commit("Environments", later(1))
	s := fakegitlab.Start(t)
	s.AddUser(gitlabToken, fakegitlab.User{ID: 7, Username: "bot", Scopes: []string{"api"}})
	s.AddProject(fakegitlab.Project{ID: 42, Path: "acme/shop", Members: map[string]int{"bot": fakegitlab.Reporter}})
	s.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 5, State: "opened", Labels: []string{"build-box"}, Branch: "feature", Commits: []string{r.Head()}})
	s.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 6, State: "opened", Labels: []string{"dev-deploy", "prod-deploy"}, Branch: "on-top", Commits: []string{r.Head()}})
	c := in(r.Dir).with(onGitLab(s, 400, "")...).with(
		"CI_MERGE_REQUEST_IID=", "CI_MERGE_REQUEST_PROJECT_ID=", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=", "CI_PIPELINE_SOURCE=push",
		"CI_COMMIT_BRANCH=feature", "CI_COMMIT_SHA="+r.Head(), "CI_OPEN_MERGE_REQUESTS=acme/shop!5,acme/shop!6", "REGISTRY="+registry.Start(t, registry.Options{}).Host)

	res := c.slipway(t, "ci:run").Exits(t, 0)
	holds(t, "stderr", res.Stderr, "push to feature, labels build-box\n", "images  box (build-box)")
	without(t, "stderr", res.Stderr, "deploy", "asks for nothing")
	onlyNote(t, s, "### ✅ Images")
	if n := s.Notes(42, 6); len(n) > 0 {
		t.Errorf("the other branch's merge request got %+v", n)
	}
	if got := repeats(t, res); !strings.HasSuffix(got, " -event=push -labels=build-box -branch=feature") {
		t.Errorf("it is repeated by %s", got)
	}

	// A second one of this branch may ask, and the rules refuse by the branch.
	s.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 7, State: "opened", Labels: []string{"prod-deploy"}, Branch: "feature", Commits: []string{r.Head()}})
	res = c.slipway(t, "ci:run").Exits(t, 2)
	holds(t, "stderr", res.Stderr, "the label prod-deploy is refused: prod is deployed from main only, and this is the branch feature")
	if n := s.Notes(42, 7); len(n) != 1 {
		t.Errorf("the merge request that asked got %+v", n)
	} else {
		holds(t, "the comment", n[0].Body, "❌ Deploy to `prod`: refused", "prod is deployed from main only")
	}

	// Where they cannot be known nothing is asked for, and nothing fails.
	res = c.with("GITLAB_TOKEN=").slipway(t, "ci:run").Exits(t, 0)
	holds(t, "stderr", res.Stderr, "the labels of the merge request of feature are not known, and ask for nothing: CI_JOB_TOKEN cannot", "a push to feature asks for nothing")
	before := len(s.Requests())
	c.with("CI_OPEN_MERGE_REQUESTS=").slipway(t, "ci:run").Exits(t, 0)
	if n := len(s.Requests()) - before; n > 0 {
		t.Errorf("a branch without a merge request asked GitLab %d times", n)
	}
}

// What fails on the main branch is everybody's business.
func TestChatsAreToldOfAFailureOnMain(t *testing.T) {
	chat := fakechat.Start(t)
	s := fakeGitLab(t)
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY " + jobToken + " missing.txt /\n", "app.txt": "one\n"})
	push := []string{
		"CI_MERGE_REQUEST_IID=", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=", "CI_PIPELINE_SOURCE=push", "CI_COMMIT_BRANCH=main",
		"REGISTRY=" + registry.Start(t, registry.Options{}).Host, "NOTIFY_URL=generic://" + chat.Host + "/c4n4ry-hook?disabletls=yes",
	}
	c := in(r.Dir).with(onGitLab(s, 500, "")...).with(push...)
	res := c.slipway(t, "ci:run", "-only=images").Exits(t, 1)
	told := chat.Messages()
	if len(told) != 1 {
		t.Fatalf("told were %+v", told)
	}
	holds(t, "the message", told[0].Text, "❌", "pipeline: failed", "why: failed: box", "by: anna, branch main, commit 4605cc6e", "again: "+repeats(t, res),
		"job: https://gitlab.example.com/acme/shop/-/pipelines/1", "box: image failed", "services/box/Dockerfile:2: ")
	without(t, "stderr", res.Stderr, "warning")

	c.with("CI_COMMIT_BRANCH=feature", "SLIPWAY_LABELS=build-box").slipway(t, "ci:run", "-only=images").Exits(t, 1)
	if n := len(chat.Messages()); n != 1 {
		t.Errorf("a failure on a branch is told: %+v", chat.Messages())
	}
	chat.Faults.Add(faulty.Fault{Status: 500, Times: -1})
	res = c.slipway(t, "ci:run", "-only=images").Exits(t, 1)
	holds(t, "stderr", strings.ReplaceAll(res.Stderr, jobToken, ""), "warning: the chat was not told by generic (address 1 of NOTIFY_URL)")
}

// ci:notify is for trying out an address.
func TestNotify(t *testing.T) {
	chat := fakechat.Start(t)
	chat.TelegramToken, chat.TelegramChats = "123456789:AAEhBOc4n4rypJUe", []string{"-100777"}
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	c := in(r.Dir, "HTTPS_PROXY="+chat.Proxy, "SSL_CERT_FILE="+chat.CAFile, "NOTIFY_URL=telegram://"+chat.TelegramToken+"@telegram?chats=-100777")
	c.slipway(t, "ci:notify", "-text=hello there").Exits(t, 0)
	if got := chat.Messages(); len(got) != 1 || got[0].To != "-100777" {
		t.Errorf("told were %+v", got)
	} else {
		holds(t, "the message", got[0].Text, "✅", "hello there")
	}
	res := c.with("NOTIFY_URL=telegram://"+chat.TelegramToken+"@telegram?chats=-100888").slipway(t, "ci:notify").Exits(t, 1)
	holds(t, "stderr", res.Stderr, "chat not found")
	res = c.with("NOTIFY_URL=").slipway(t, "ci:notify").Exits(t, 2)
	holds(t, "stderr", res.Stderr, "there is nobody to tell: set NOTIFY_URL")
}

// removed removes a file of a repository.
func removed(r *gitrepo.Repo, path string) error { return os.Remove(file(r, path)) }
