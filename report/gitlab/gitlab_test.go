package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/report/comment"
	"slipway/report/retry"
	"slipway/report/thread"
	"slipway/secret"
	"slipway/test/fakegitlab"
	"slipway/test/faulty"
)

var (
	bot   = fakegitlab.User{ID: 7, Username: "project_1_bot", Scopes: []string{"api"}}
	alice = fakegitlab.User{ID: 8, Username: "alice", Scopes: []string{"api"}}
)

const token = "glpat-t0ps3cr3t"

// bed is a GitLab with a project, a merge request and a clock that only pauses move.
type bed struct {
	*fakegitlab.Server
	settings Settings
	mu       sync.Mutex
	now      time.Time
	pauses   []time.Duration
}

func newBed(t *testing.T) *bed {
	b := &bed{Server: fakegitlab.Start(t), now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	b.AddUser(token, bot)
	b.AddUser("alice", alice)
	b.AddUser("reading", fakegitlab.User{ID: 9, Username: "reader", Scopes: []string{"read_api"}})
	b.AddUser("guest", fakegitlab.User{ID: 10, Username: "guest", Scopes: []string{"api"}})
	b.AddUser("stranger", fakegitlab.User{ID: 11, Username: "stranger", Scopes: []string{"api"}})
	b.AddProject(fakegitlab.Project{ID: 42, Path: "acme/shop", Members: map[string]int{
		bot.Username: fakegitlab.Reporter, "alice": fakegitlab.Maintainer, "reader": fakegitlab.Reporter, "guest": fakegitlab.Guest,
	}})
	b.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 5, State: "opened", Labels: []string{"tests", "build-ping"}, Commits: []string{"c1", "c2"}})
	b.settings = Settings{
		API: b.URL, Project: "42", MergeRequest: 5, Token: secret.New(token), JobToken: secret.New("glcbt-job"),
		Retry: retry.Policy{
			Attempt: 500 * time.Millisecond,
			Now: func() time.Time {
				b.mu.Lock()
				defer b.mu.Unlock()
				return b.now
			},
			Pause: func(ctx context.Context, d time.Duration) error {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.now = b.now.Add(d)
				b.pauses = append(b.pauses, d)
				return ctx.Err()
			},
		},
	}
	return b
}

func (b *bed) client(t *testing.T) *Client {
	t.Helper()
	c, err := New(b.settings)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say comments and returns the only outcome.
func (b *bed) say(t *testing.T, run int64, text string) thread.Outcome {
	t.Helper()
	out := b.client(t).Comment(t.Context(), thread.Text{Key: "images", Run: run, Markdown: text})
	if len(out) != 1 {
		t.Fatalf("%d outcomes, want 1: %+v", len(out), out)
	}
	return out[0]
}

// only checks that the merge request has one comment of slipway's, and what it says.
func (b *bed) only(t *testing.T, text string) {
	t.Helper()
	var found []string
	for _, n := range b.Notes(42, 5) {
		if n.Author.ID == bot.ID && comment.IsMarked(n.Body, "images") {
			found = append(found, n.Body)
		}
	}
	if len(found) != 1 || !strings.HasSuffix(found[0], "\n"+text) {
		t.Errorf("the merge request has %q, want one comment that says %q", found, text)
	}
}

func TestOneCommentIsKept(t *testing.T) {
	b := newBed(t)
	for range 250 { // three pages
		b.AddNote(42, 5, alice, "a word")
	}
	b.AddNote(42, 5, alice, comment.Marked("images", 0, "by somebody else"))
	b.AddNote(42, 5, bot, "> "+comment.Marked("images", 0, "only quoted"))
	for _, step := range []struct {
		text string
		want thread.Action
	}{{"first", thread.Created}, {"second", thread.Updated}, {"second", thread.Unchanged}} {
		if out := b.say(t, 0, step.text); out.Action != step.want || out.Warning != "" {
			t.Errorf("saying %q: %+v, want %q", step.text, out, step.want)
		}
		b.only(t, step.text)
	}
	for range 120 {
		b.AddNote(42, 5, alice, "another word")
	}
	if out := b.say(t, 0, "third"); out.Action != thread.Updated {
		t.Errorf("with the comment on a middle page: %+v", out)
	}
	b.only(t, "third")
	other := b.client(t).Comment(t.Context(), thread.Text{Key: "deploy-dev", Markdown: "deployed"})
	if other[0].Action != thread.Created {
		t.Errorf("another key's comment: %+v", other)
	}
	b.only(t, "third")
}

func TestOlderRunLeavesNewerText(t *testing.T) {
	b := newBed(t)
	b.say(t, 12, "new")
	if out := b.say(t, 11, "old"); out.Action != thread.Outdated {
		t.Errorf("the older run: %+v", out)
	}
	b.only(t, "new")
	b.say(t, 13, "newest")
	b.only(t, "newest")
}

func TestRace(t *testing.T) {
	b := newBed(t)
	// Another run writes between our look and our writing.
	b.Faults.Add(faulty.Fault{Method: http.MethodPost, Before: func() {
		b.AddNote(42, 5, bot, comment.Marked("images", 2, "theirs, newer"))
	}})
	if out := b.say(t, 1, "ours"); out.Action != thread.Outdated {
		t.Errorf("after a race with a newer run: %+v", out)
	}
	b.only(t, "theirs, newer")

	b = newBed(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			c, err := New(b.settings)
			if err != nil {
				t.Error(err)
				return
			}
			c.Comment(t.Context(), thread.Text{Key: "images", Run: int64(i + 1), Markdown: fmt.Sprintf("run %d", i+1)})
		})
	}
	wg.Wait()
	b.say(t, 7, "run 7")
	b.only(t, "run 7")
}

func TestFaultsAreOvercome(t *testing.T) {
	const notes = "/merge_requests/5/notes"
	for name, c := range map[string]struct {
		fault faulty.Fault
		pause time.Duration // that must have been made, 0 for any
	}{
		"429 in seconds":            {faulty.Fault{Method: "GET", Path: notes, Status: 429, Header: map[string]string{"Retry-After": "17"}}, 17 * time.Second},
		"429 on writing":            {faulty.Fault{Method: "POST", Path: notes, Status: 429, Header: map[string]string{"Retry-After": "3"}}, 3 * time.Second},
		"429 until a date":          {faulty.Fault{Method: "GET", Path: notes, Status: 429, Header: map[string]string{"Retry-After": "Wed, 25 Nov 2026 12:00:20 GMT"}}, 20 * time.Second},
		"429 with a reset":          {faulty.Fault{Method: "GET", Path: notes, Status: 429, Header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "1795608010"}}, 11 * time.Second},
		"429 three times":           {faulty.Fault{Method: "GET", Path: notes, Status: 429, Times: 3}, 0},
		"409 on writing":            {faulty.Fault{Method: "POST", Path: notes, Status: 409, Body: `{"message":"409 Conflict"}`}, 0},
		"500 on reading":            {faulty.Fault{Method: "GET", Path: notes, Status: 500, Body: "oops"}, 0},
		"502 in HTML":               {faulty.Fault{Method: "GET", Path: "/user", Status: 502, Body: "<html>"}, 0},
		"500 on writing":            {faulty.Fault{Method: "POST", Path: notes, Status: 500}, time.Second},
		"503 after writing":         {faulty.Fault{Method: "POST", Path: notes, Status: 503, Late: true, Header: map[string]string{"Retry-After": "4"}}, 4 * time.Second},
		"answer cut off":            {faulty.Fault{Method: "GET", Path: notes, Cut: true, Times: 2}, 0},
		"answer to writing cut off": {faulty.Fault{Method: "POST", Path: notes, Cut: true, Late: true}, 0},
		"writing cut off":           {faulty.Fault{Method: "POST", Path: notes, Cut: true}, 0},
		"connection closed":         {faulty.Fault{Method: "POST", Path: notes, Drop: true}, 0},
		"closed after writing":      {faulty.Fault{Method: "POST", Path: notes, Drop: true, Late: true}, 0},
		"no answer":                 {faulty.Fault{Method: "GET", Path: notes, Hang: true}, 0},
		"no answer to writing":      {faulty.Fault{Method: "POST", Path: notes, Hang: true, Late: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.Faults.Add(c.fault)
			if out := b.say(t, 0, "hello"); out.Warning != "" {
				t.Errorf("it gave up: %s", out.Warning)
			}
			b.only(t, "hello")
			if b.Faults.Left() > 0 {
				t.Error("the fault never came")
			}
			if c.pause > 0 && (len(b.pauses) == 0 || b.pauses[0] != c.pause) {
				t.Errorf("it paused %v, want %s first", b.pauses, c.pause)
			}
		})
	}
	for name, fault := range map[string]faulty.Fault{
		"500 on updating":   {Method: "PUT", Status: 500, Late: true},
		"updating cut off":  {Method: "PUT", Cut: true},
		"comment just gone": {Method: "PUT", Before: nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.say(t, 0, "before")
			if fault.Status == 0 && !fault.Cut {
				fault.Before = func() { b.RemoveNotes(42, 5) }
			}
			b.Faults.Add(fault)
			if out := b.say(t, 0, "after"); out.Warning != "" || b.Faults.Left() > 0 {
				t.Errorf("outcome %+v, faults left %d", out, b.Faults.Left())
			}
			b.only(t, "after")
		})
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bed)
		want   []string
	}{
		"wrong token":      {func(b *bed) { b.settings.Token = secret.New("wr0ng-token") }, []string{"does not accept GITLAB_TOKEN (401", "scope api", "Reporter"}},
		"token that reads": {func(b *bed) { b.settings.Token = secret.New("reading") }, []string{"insufficient_scope", "scope api", "GITLAB_TOKEN"}},
		"guest":            {func(b *bed) { b.settings.Token = secret.New("guest") }, []string{"403", "Reporter", "merge request !5"}},
		"stranger":         {func(b *bed) { b.settings.Token = secret.New("stranger") }, []string{"404", "Reporter", "GITLAB_TOKEN"}},
		"no such":          {func(b *bed) { b.settings.MergeRequest = 6 }, []string{"404", "merge request !6 of project 42"}},
		"asked to wait long": {func(b *bed) {
			b.Faults.Add(faulty.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}})
		}, []string{"429", "1h0m0s"}},
		"always busy":    {func(b *bed) { b.Faults.Add(faulty.Fault{Status: 503, Times: -1}) }, []string{"503", "tried 6 times"}},
		"never written":  {func(b *bed) { b.Faults.Add(faulty.Fault{Method: "POST", Status: 500, Times: -1}) }, []string{"500", "tried"}},
		"always cut off": {func(b *bed) { b.Faults.Add(faulty.Fault{Cut: true, Times: -1}) }, []string{"connection", "tried"}},
		"wrong host":     {func(b *bed) { b.settings.API = "http://127.0.0.1:1/api/v4" }, []string{"127.0.0.1:1", "tried"}},
		"sent elsewhere": {func(b *bed) {
			b.Faults.Add(faulty.Fault{Status: 302, Times: -1, Header: map[string]string{"Location": "http://elsewhere.invalid/"}})
		}, []string{"elsewhere.invalid", "the token is not sent there"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			c.change(b)
			start := b.now
			out := b.say(t, 0, "hello")
			for _, want := range c.want {
				if !strings.Contains(out.Warning, want) {
					t.Errorf("the warning is %q, want %q in it", out.Warning, want)
				}
			}
			if strings.Contains(out.Warning, b.settings.Token.Reveal()+" ") || strings.Contains(out.Warning, token) {
				t.Errorf("the warning shows the token: %q", out.Warning)
			}
			if b.now.Sub(start) > 90*time.Second {
				t.Errorf("it took %s, want at most 90s", b.now.Sub(start))
			}
		})
	}
}

func TestTokensThatCannotComment(t *testing.T) {
	for name, c := range map[string]struct {
		s    Settings
		want string
	}{
		"none":              {Settings{API: "http://h/api/v4", Project: "1"}, "GITLAB_TOKEN is not set"},
		"a job's":           {Settings{API: "http://h/api/v4", Project: "1", JobToken: secret.New("job-token")}, "CI_JOB_TOKEN cannot comment"},
		"a job's as if not": {Settings{API: "http://h/api/v4", Project: "1", Token: secret.New("job-token"), JobToken: secret.New("job-token")}, "CI_JOB_TOKEN cannot comment"},
		"nowhere":           {Settings{Token: secret.New("t")}, "CI_API_V4_URL"},
	} {
		if _, err := New(c.s); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "job-token") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestBranchPipeline(t *testing.T) {
	b := newBed(t)
	b.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 6, State: "merged", Labels: []string{"prod-deploy"}, Commits: []string{"c2"}})
	b.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 7, State: "opened", Labels: []string{"dev-deploy", "tests"}, Commits: []string{"c2", "c3"}})
	b.settings.MergeRequest, b.settings.Commit, b.settings.Project = 0, "c2", "acme/shop"
	out := b.client(t).Comment(t.Context(), thread.Text{Key: "images", Markdown: "hello"})
	if len(out) != 2 || out[0].Action != thread.Created || out[1].Action != thread.Created || !strings.Contains(out[1].Where, "!7") {
		t.Errorf("two open merge requests have the commit, and the outcomes are %+v", out)
	}
	if n := len(b.Notes(42, 6)); n > 0 {
		t.Errorf("the merged one got %d comments", n)
	}
	labels, err := b.client(t).Labels(t.Context())
	if err != nil || strings.Join(labels, " ") != "build-ping dev-deploy tests" {
		t.Errorf("labels %q, %v", labels, err)
	}
	b.settings.Branch = "feature" // and !5 stands on the same commit
	b.AddMergeRequest(42, fakegitlab.MergeRequest{IID: 8, State: "opened", Labels: []string{"build-web"}, Branch: "feature", Commits: []string{"c2"}})
	if labels, err := b.client(t).Labels(t.Context()); err != nil || strings.Join(labels, " ") != "build-web" {
		t.Errorf("labels %q, %v, want those of the branch's own merge request", labels, err)
	}
	b.settings.Commit = strings.Repeat("0", 40)
	if out := b.client(t).Comment(t.Context(), thread.Text{Key: "images", Markdown: "hello"}); len(out) != 1 || out[0].Action != thread.None || out[0].Warning != "" {
		t.Errorf("a commit without a merge request: %+v", out)
	}
}

func TestLabels(t *testing.T) {
	b := newBed(t)
	labels, err := b.client(t).Labels(t.Context())
	if err != nil || strings.Join(labels, " ") != "build-ping tests" {
		t.Errorf("labels %q, %v", labels, err)
	}
	b.settings.Token = secret.New("stranger")
	if _, err := b.client(t).Labels(t.Context()); err == nil || !strings.Contains(err.Error(), "GITLAB_TOKEN") {
		t.Errorf("a stranger's labels: %v", err)
	}
}

// TestNoQuickActions sends a text whose lines would be GitLab commands outside of code, and that
// tries to end its code block.
func TestNoQuickActions(t *testing.T) {
	b := newBed(t)
	log := []string{"/close", "```", "/merge", strings.Repeat("я", 400)}
	for range 12 {
		log = append(log, log...)
	}
	text := comment.Images{Failures: []comment.Failure{{Service: "ping", Step: "test", Reason: "/approve", Log: log}, {Service: "/close", Tests: log}}}.
		Markdown(comment.Options{Max: comment.GitLabMax})
	if out := b.say(t, 1, text); out.Warning != "" {
		t.Error(out.Warning)
	}
	if got := b.Commands(); len(got) > 0 {
		t.Errorf("the comment carried out %q", got)
	}
}
