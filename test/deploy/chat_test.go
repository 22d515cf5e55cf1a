package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/fakechat"
	"slipway/test/fakegitlab"
	"slipway/test/faulty"
)

const botToken = "123456789:AAEhBOwei-" + canary

// chats are the two that NOTIFY_URL names: Telegram's by its own name, and a webhook.
func chats(t testing.TB, b *bed) *fakechat.Server {
	t.Helper()
	s := fakechat.Start(t)
	s.TelegramToken, s.TelegramChats = botToken, []string{"-100777"}
	b.env = append(b.env, "HTTPS_PROXY="+s.Proxy, "SSL_CERT_FILE="+s.CAFile,
		"NOTIFY_URL=telegram://"+botToken+"@telegram?chats=-100777 generic://"+s.Host+"/"+canary+"?disabletls=yes")
	return s
}

// told takes what both chats were told since the last look, which must be the same.
type told struct {
	*fakechat.Server
	seen int
}

func (s *told) next(t testing.TB, says ...string) string {
	t.Helper()
	all := s.Messages()[s.seen:]
	s.seen += len(all)
	if len(all) != 2 || all[0].Text != all[1].Text || all[0].Service == all[1].Service {
		t.Fatalf("the chats were told %+v, want the same once each", all)
	}
	shows(t, "the message", all[0].Text, says...)
	return all[0].Text
}

func (s *told) nothing(t testing.TB, what string) {
	t.Helper()
	if all := s.Messages()[s.seen:]; len(all) > 0 {
		t.Errorf("%s is told: %+v", what, all)
	}
}

// shows wants texts in another, and no canary.
func shows(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
	if strings.Contains(text, canary) {
		t.Errorf("%s has a secret:\n%s", what, text)
	}
}

// leaky is a service that prints a secret which slipway knows, in its health check.
func leaky(mode string) string {
	half := len(canary) / 2
	return strings.Replace(service("web", mode), "echo checked", fmt.Sprintf(`echo %s\"\"%s checked`, canary[:half], canary[half:]), 1)
}

func TestChatsAreToldOfDeploys(t *testing.T) {
	b := newBed(t)
	keepSecrets(t, b)
	chat := &told{Server: chats(t, b)}
	b.env = append(b.env, "GITLAB_TOKEN="+canary)

	b.manifest(t, "dev", stack(leaky("good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	chat.next(t, "✅ repo: deploy to dev: done (release 1, ", "stack: repo_dev", "by: anna@", "commit "+b.repo.Head()[:8], "tags: ", "web good", "other good", "create service repo_dev_web")

	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	chat.nothing(t, "a deploy that had nothing to do")
	b.slipway(t, "deploy:env", "dev", "-image=web").Exits(t, 2)
	chat.nothing(t, "a slip at the keyboard")

	b.manifest(t, "dev", stack(leaky("sick"), service("other", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 3)
	chat.next(t, "❌ repo: deploy to dev: rolled back (release 2, ", "why: ", "update service repo_dev_web: image good → sick", "web: ", "its health check fails", "last log lines:", "app in mode sick", "health checks:", "*** checked sick", "now: ")

	b.slipway(t, "deploy:rollback", "dev", "-to=1").Exits(t, 0)
	chat.nothing(t, "a way back to where it is")
	b.manifest(t, "dev", stack(leaky("good2"), service("other", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	chat.next(t, "✅", "release 3")
	b.slipway(t, "deploy:rollback", "dev").Exits(t, 0)
	chat.next(t, "✅ repo: deploy to dev: done (release 4, ", "rollback to release 1", "update service repo_dev_other: image good2 → good")

	// It fails before anything is written.
	b.manifest(t, "dev", stack(service("web", "nowhere")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 1)
	chat.next(t, "❌ repo: deploy to dev: failed", "app:nowhere", "by: anna@")

	// The chats are not there, or their address cannot be had: that is a warning.
	chat.Faults.Add(faulty.Fault{Status: 500, Times: -1})
	b.manifest(t, "dev", stack(service("web", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 5: done", "warning: the chat was not told by telegram (address 1 of NOTIFY_URL)", "warning: the chat was not told by generic (address 2 of NOTIFY_URL)")
	b.manifest(t, "dev", stack(service("web", "good")))
	b.with(t, []string{"NOTIFY_URL=file:///nowhere/notify"}, "deploy:env", "dev").Exits(t, 0).Says(t, "release 6: done", "warning: NOTIFY_URL is file:///nowhere/notify: there is no such file")
	chat.nothing(t, "one that cannot be told")
}

// A reference gives the address, and the environment's own wins. A rotated secret is told too,
// without its value.
func TestChatsOfAnEnvironment(t *testing.T) {
	b := newBed(t)
	keepSecrets(t, b)
	chat := fakechat.Start(t)
	file := filepath.Join(t.TempDir(), "notify")
	must(t, os.WriteFile(file, []byte("generic://"+chat.Host+"/dev?disabletls=yes\n"), 0o600))
	b.env = append(b.env, "NOTIFY_URL=generic://"+chat.Host+"/all?disabletls=yes", "DEV_NOTIFY_URL=file://"+file, "FIRST="+canary+"-1", "SECOND="+canary+"-2")
	b.manifest(t, "dev", stack(strings.Replace(service("web", "good", "secrets: [key]"), "echo checked", "cat /run/secrets/key; echo checked", 1))+"secrets:\n  key: {external: true}\n")
	b.slipway(t, "secret:set", "dev", "key", "-env=FIRST").Exits(t, 0)
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.slipway(t, "secret:rotate", "dev", "key", "-env=SECOND").Exits(t, 0)
	got := chat.Messages()
	if len(got) != 2 || got[0].To != "/dev" || got[1].To != "/dev" {
		t.Fatalf("told were %+v", got)
	}
	shows(t, "the message", got[0].Text, "✅ repo: deploy to dev: done (release 1, ")
	shows(t, "the message", got[1].Text, "✅ repo: deploy to dev: done (release 2, ", "rotation of the secret key", "update service repo_dev_web: ")
}

// In CI a merge request is told of the plan and of the verdict, and the chats have the link.
func TestAMergeRequestIsToldOfItsDeploy(t *testing.T) {
	b := newBed(t)
	keepSecrets(t, b)
	chat := &told{Server: chats(t, b)}
	gitlab := fakegitlab.Start(t)
	gitlab.AddUser(canary, fakegitlab.User{ID: 7, Username: "bot", Scopes: []string{"api"}})
	gitlab.AddProject(fakegitlab.Project{ID: 42, Path: "acme/shop", Members: map[string]int{"bot": fakegitlab.Reporter}})
	gitlab.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 5, State: "opened", Branch: "feature"})
	b.env = append(b.env,
		"GITLAB_CI=true", "CI_API_V4_URL="+gitlab.URL, "CI_PROJECT_ID=42", "CI_PIPELINE_SOURCE=merge_request_event", "CI_MERGE_REQUEST_IID=5", "CI_PIPELINE_ID=100",
		"CI_MERGE_REQUEST_LABELS=dev-deploy", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main", "CI_COMMIT_SHA=4605cc6e0f9d2f4b",
		"CI_PIPELINE_URL=https://gitlab.example.com/acme/shop/-/pipelines/100", "GITLAB_USER_LOGIN=bob", "GITLAB_TOKEN="+canary)
	note := func(says ...string) string {
		t.Helper()
		notes := gitlab.Notes(42, 5)
		if len(notes) != 1 {
			t.Fatalf("there are %d comments, want 1: %+v", len(notes), notes)
		}
		shows(t, "the comment", notes[0].Body, says...)
		return notes[0].Body
	}
	const link = "https://gitlab.example.com/acme/shop/-/pipelines/100"

	b.manifest(t, "dev", stack(leaky("good")))
	b.slipway(t, "ci:run").Exits(t, 0)
	note("<!-- slipway:deploy-dev -->", "✅ Deploy to `dev`: done (stack `repo_dev`, release 1", "| `web` | `good` | done | 1 of 1 |", "Plan: **2** to create", "+ create service repo_dev_web", link)
	chat.next(t, "✅ repo: deploy to dev: done", "by: bob, branch feature", "job: "+link)

	b.slipway(t, "ci:run").Exits(t, 0)
	note("✅ Deploy to `dev`: unchanged", "**0** to update")
	chat.nothing(t, "a deploy that had nothing to do")

	b.manifest(t, "dev", stack(leaky("sick")))
	r := b.slipway(t, "ci:run").Exits(t, 3)
	_, again, _ := strings.Cut(strings.TrimSpace(r.Stderr), "slipway: to repeat this: ")
	note("❌ Deploy to `dev`: rolled back", "image: ", "app:sick", "#### `web`: ", "its health check fails", "*** checked sick", "app in mode sick", "```sh\n"+again+"\n```")
	chat.next(t, "❌ repo: deploy to dev: rolled back", "its health check fails", "again: "+again)

	// It fails as early as in the plan.
	b.manifest(t, "dev", stack(service("web", "nowhere")))
	b.slipway(t, "ci:run").Exits(t, 1)
	note("❌ Deploy to `dev`: failed", "Why: ", "app:nowhere")
	chat.next(t, "❌ repo: deploy to dev: failed", "app:nowhere", "by: bob")

	gitlab.Faults.Add(faulty.Fault{Status: 403, Body: `{"message":"403 Forbidden"}`, Times: -1})
	b.manifest(t, "dev", stack(service("web", "good2")))
	b.slipway(t, "ci:run").Exits(t, 0).Says(t, "release 3: done", "warning: no comment was written on merge request !5 of project 42")
}
