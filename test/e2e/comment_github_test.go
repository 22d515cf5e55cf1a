package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"slipway/test/fakegithub"
	"slipway/test/faulty"
	"slipway/test/gitrepo"
	"slipway/test/registry"
)

const githubToken = "ghs_c4n4ry0000000000000"

// fakeGitHub has the repository acme/shop with the pull request 5 of the branch feature. Its
// token is a workflow's.
func fakeGitHub(t testing.TB) *fakegithub.Server {
	t.Helper()
	s := fakegithub.Start(t, "acme/shop")
	s.AddToken(githubToken, fakegithub.Token{ID: 41898282, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"issues": "write", "pull_requests": "write"}})
	s.AddToken("ghs_reading", fakegithub.Token{ID: 41898282, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"pull_requests": "read"}})
	s.AddPullRequest(fakegithub.PullRequest{Number: 5, State: "open", Branch: "feature"})
	return s
}

// onGitHub are the variables of a job that runs for the pull request. Its GITHUB_SHA is of a
// merge that nobody made.
func onGitHub(t testing.TB, s *fakegithub.Server, r *gitrepo.Repo, run int, labels ...string) []string {
	t.Helper()
	list := []any{}
	for _, l := range labels {
		list = append(list, map[string]any{"name": l})
	}
	side := func(ref, sha string) map[string]any {
		return map[string]any{"ref": ref, "sha": sha, "repo": map[string]any{"full_name": "acme/shop"}}
	}
	payload, err := json.Marshal(map[string]any{
		"repository":   map[string]any{"default_branch": "main"},
		"pull_request": map[string]any{"number": 5, "labels": list, "head": side("feature", r.Head()), "base": side("main", r.Head())},
	})
	must(t, err)
	event := filepath.Join(t.TempDir(), "event.json")
	must(t, os.WriteFile(event, payload, 0o600))
	return []string{
		"GITHUB_ACTIONS=true", "GITHUB_API_URL=" + s.URL, "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=acme/shop", "GITHUB_EVENT_NAME=pull_request",
		"GITHUB_EVENT_PATH=" + event, "GITHUB_REF=refs/pull/5/merge", "GITHUB_HEAD_REF=feature", "GITHUB_BASE_REF=main", "GITHUB_ACTOR=anna",
		"GITHUB_SHA=dead00000000000000000000000000000000beef", fmt.Sprint("GITHUB_RUN_ID=", run), "GITHUB_TOKEN=" + githubToken,
	}
}

func onlyComment(t testing.TB, s *fakegithub.Server, says ...string) string {
	t.Helper()
	all := s.Comments(5)
	if len(all) != 1 {
		t.Fatalf("there are %d comments, want 1: %+v", len(all), all)
	}
	holds(t, "the comment", all[0].Body, says...)
	return all[0].Body
}

func TestAPullRequestIsToldOfItsImages(t *testing.T) {
	s := fakeGitHub(t)
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY app.txt /\n", "app.txt": "one\n"})
	c := in(r.Dir, "REGISTRY="+registry.Start(t, registry.Options{}).Host)
	tag := "20240725_" + r.Head()[:8]
	c.with(onGitHub(t, s, r, 100, "build-box")...).slipway(t, "ci:run").Exits(t, 0)
	body := onlyComment(t, s, "### ✅ Images", tag, "commit `"+r.Head()[:12]+"`", "https://github.com/acme/shop/actions/runs/100")
	without(t, "the comment", body, "run it again", "dead0000")

	c.with(onGitHub(t, s, r, 101, "build-box")...).slipway(t, "ci:run").Exits(t, 0)
	onlyComment(t, s, tag, "<!-- run:101 -->")

	r.Write("services/box/Dockerfile", "FROM scratch\nCOPY "+githubToken+" missing.txt /\n")
	r.Commit("Break", later(1))
	res := c.with(onGitHub(t, s, r, 102, "build-box")...).slipway(t, "ci:run").Exits(t, 1)
	onlyComment(t, s, "### ❌ Images: `box` failed", "is not in the build context", "services/box/Dockerfile:2", repeats(t, res))
}

func TestAMissingCommentOnGitHubIsAWarning(t *testing.T) {
	t.Parallel()
	r := packed(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	var all missings
	for name, test := range map[string]struct {
		env   string
		fault faulty.Fault
		says  string
	}{
		"no token":        {env: "GITHUB_TOKEN=", says: "GITHUB_TOKEN is not set: give the job's env GITHUB_TOKEN: ${{ github.token }} and the workflow permissions"},
		"unknown token":   {env: "GITHUB_TOKEN=ghs_c4n4ry-old", says: "(401 Bad credentials), it is wrong, expired or revoked"},
		"read-only token": {env: "GITHUB_TOKEN=ghs_reading", says: "it needs pull-requests: write and issues: write"},
		"not there":       {env: "GITHUB_REPOSITORY=acme/other", says: "404 Not Found"},
		"too often":       {fault: faulty.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}}, says: "429 Too Many Requests"},
		"out of order":    {fault: faulty.Fault{Status: 503}, says: "503 Service Unavailable"},
		"no answer":       {fault: faulty.Fault{Hang: true}, says: "no comment was written on pull request #5"},
		"cut off":         {fault: faulty.Fault{Cut: true}, says: "no comment was written on pull request #5"},
	} {
		s := fakeGitHub(t)
		if test.env == "" {
			test.fault.Times = -1
			s.Faults.Add(test.fault)
		}
		p := in(r.Dir).with(onGitHub(t, s, r, 300, "build-bax", "prod-deploy")...).with(test.env).start(t, "ci:run")
		all = append(all, missing{name, test.says, p, func() int { return len(s.Comments(5)) }})
	}
	all.wait(t)
}
