package github

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
	"slipway/test/fakegithub"
	"slipway/test/faulty"
)

const token = "ghs_t0ps3cr3t"

var (
	actions = fakegithub.Token{ID: 41898282, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"issues": "write", "pull_requests": "write", "contents": "read"}}
	reading = fakegithub.Token{ID: 41898282, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"issues": "read", "pull_requests": "read", "contents": "read"}}
	alice   = fakegithub.Token{ID: 8, Login: "alice", Permissions: map[string]string{"issues": "write", "pull_requests": "write"}}
)

// bed is a GitHub with a pull request and a clock that only pauses move.
type bed struct {
	*fakegithub.Server
	settings Settings
	mu       sync.Mutex
	now      time.Time
	pauses   []time.Duration
}

func newBed(t *testing.T) *bed {
	b := &bed{Server: fakegithub.Start(t, "acme/shop"), now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	b.AddToken(token, actions)
	b.AddToken("reading", reading)
	b.AddToken("alice", alice)
	b.AddToken("stranger", fakegithub.Token{ID: 9, Login: "stranger"})
	labels := []string{"tests", "build-ping"}
	for i := range 110 { // two pages
		labels = append(labels, fmt.Sprintf("x%03d", i))
	}
	b.AddPullRequest(fakegithub.PullRequest{Number: 5, State: "open", Labels: labels, Commits: []string{"c1", "c2"}})
	b.settings = Settings{
		API: b.URL, Repository: "acme/shop", PullRequest: 5, Token: secret.New(token),
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

func (b *bed) say(t *testing.T, run int64, text string) thread.Outcome {
	t.Helper()
	c, err := New(b.settings)
	if err != nil {
		t.Fatal(err)
	}
	out := c.Comment(t.Context(), thread.Text{Key: "images", Run: run, Markdown: text})
	if len(out) != 1 {
		t.Fatalf("%d outcomes, want 1: %+v", len(out), out)
	}
	return out[0]
}

// only checks that the author has one comment of slipway's there, and what it says.
func (b *bed) only(t *testing.T, author int64, text string) {
	t.Helper()
	var found []string
	for _, n := range b.Comments(5) {
		if n.Author.ID == author && comment.IsMarked(n.Body, "images") {
			found = append(found, n.Body)
		}
	}
	if len(found) != 1 || !strings.HasSuffix(found[0], "\n"+text) {
		t.Errorf("the pull request has %q, want one comment that says %q", found, text)
	}
}

func TestOneCommentIsKept(t *testing.T) {
	for name, who := range map[string]struct {
		token string
		id    int64
	}{"a workflow's token": {token, actions.ID}, "a person's": {"alice", alice.ID}} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.settings.Token = secret.New(who.token)
			for range 250 {
				b.AddComment(5, fakegithub.Token{ID: 12, Login: "bob"}, "a word")
			}
			b.AddComment(5, fakegithub.Token{ID: 12, Login: "bob"}, comment.Marked("images", 0, "by somebody else"))
			for _, step := range []struct {
				text string
				want thread.Action
			}{{"first", thread.Created}, {"second", thread.Updated}, {"second", thread.Unchanged}} {
				out := b.say(t, 0, step.text)
				if out.Action != step.want || out.Warning != "" || !strings.Contains(out.URL, "/acme/shop/pull/5#issuecomment-") {
					t.Errorf("saying %q: %+v, want %q", step.text, out, step.want)
				}
				b.only(t, who.id, step.text)
			}
			b.only(t, 12, "by somebody else")
		})
	}
}

func TestRace(t *testing.T) {
	b := newBed(t)
	b.Faults.Add(faulty.Fault{Method: http.MethodPost, Before: func() {
		b.AddComment(5, actions, comment.Marked("images", 1, "theirs"))
	}})
	if out := b.say(t, 2, "ours"); out.Warning != "" {
		t.Errorf("after a race: %+v", out)
	}
	b.only(t, actions.ID, "ours")
}

func TestFaultsAreOvercome(t *testing.T) {
	const path = "/issues/5/comments"
	for name, c := range map[string]struct {
		fault faulty.Fault
		pause time.Duration
	}{
		"secondary limit":           {faulty.Fault{Method: "POST", Path: path, Status: 403, Header: map[string]string{"Retry-After": "7"}, Body: `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}, 7 * time.Second},
		"secondary without a time":  {faulty.Fault{Method: "POST", Path: path, Status: 403, Body: `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes"}`}, time.Minute},
		"primary limit":             {faulty.Fault{Method: "GET", Path: path, Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795608030"}, Body: `{"message":"API rate limit exceeded"}`}, 31 * time.Second},
		"primary limit as 429":      {faulty.Fault{Method: "GET", Path: path, Status: 429, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795608030"}}, 31 * time.Second},
		"429 until a date":          {faulty.Fault{Method: "GET", Path: path, Status: 429, Header: map[string]string{"Retry-After": "Wed, 25 Nov 2026 12:00:20 GMT"}}, 20 * time.Second},
		"409":                       {faulty.Fault{Method: "POST", Path: path, Status: 409, Body: `{"message":"Conflict"}`}, 0},
		"500 on reading":            {faulty.Fault{Method: "GET", Path: path, Status: 500}, 0},
		"502 after writing":         {faulty.Fault{Method: "POST", Path: path, Status: 502, Late: true, Body: `{"message":"Server Error"}`}, time.Second},
		"answer cut off":            {faulty.Fault{Method: "GET", Path: path, Cut: true}, 0},
		"answer to writing cut off": {faulty.Fault{Method: "POST", Path: path, Cut: true, Late: true}, 0},
		"closed after writing":      {faulty.Fault{Method: "POST", Path: path, Drop: true, Late: true}, 0},
		"no answer to writing":      {faulty.Fault{Method: "POST", Path: path, Hang: true, Late: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.Faults.Add(c.fault)
			if out := b.say(t, 0, "hello"); out.Warning != "" {
				t.Errorf("it gave up: %s", out.Warning)
			}
			b.only(t, actions.ID, "hello")
			if b.Faults.Left() > 0 {
				t.Error("the fault never came")
			}
			if c.pause > 0 && (len(b.pauses) == 0 || b.pauses[0] != c.pause) {
				t.Errorf("it paused %v, want %s first", b.pauses, c.pause)
			}
		})
	}
	t.Run("comment just gone", func(t *testing.T) {
		b := newBed(t)
		b.say(t, 0, "before")
		b.Faults.Add(faulty.Fault{Method: "PATCH", Before: func() { b.RemoveComments(5) }})
		if out := b.say(t, 0, "after"); out.Warning != "" {
			t.Error(out.Warning)
		}
		b.only(t, actions.ID, "after")
	})
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bed)
		want   []string
	}{
		"wrong token": {func(b *bed) { b.settings.Token = secret.New("wr0ng-token") }, []string{"does not accept GITHUB_TOKEN (401", "pull-requests: write"}},
		"read-only":   {func(b *bed) { b.settings.Token = secret.New("reading") }, []string{"403", "pull-requests: write", "issues: write", "issues=write", "fork"}},
		"stranger":    {func(b *bed) { b.settings.Token = secret.New("stranger") }, []string{"404", "pull request #5", "GITHUB_TOKEN"}},
		"locked": {func(b *bed) {
			b.settings.PullRequest = 6
			b.AddPullRequest(fakegithub.PullRequest{Number: 6, State: "open", Locked: true})
		}, []string{"unlock the conversation of pull request #6"}},
		"limit for an hour": {func(b *bed) {
			b.Faults.Add(faulty.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795611600"}})
		}, []string{"403", "1h0m1s"}},
		"always busy": {func(b *bed) { b.Faults.Add(faulty.Fault{Status: 503, Times: -1}) }, []string{"503", "tried 6 times"}},
		"unprocessed": {func(b *bed) {
			b.Faults.Add(faulty.Fault{Method: "POST", Status: 422, Body: `{"message":"Validation Failed","errors":[{"message":"Body is too long"}]}`})
		}, []string{"422", "Body is too long"}},
		"wrong server": {func(b *bed) { b.settings.API = "http://127.0.0.1:1" }, []string{"127.0.0.1:1", "tried"}},
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
	for _, s := range []Settings{{Repository: "acme/shop"}, {Repository: "acme", Token: secret.New("t")}, {Repository: "acme/shop", Token: secret.New("t"), API: "::"}} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), "GITHUB_") {
			t.Errorf("%+v: %v, want an error that names the variable", s, err)
		}
	}
}

func TestLabelsAndCommit(t *testing.T) {
	b := newBed(t)
	b.AddPullRequest(fakegithub.PullRequest{Number: 6, State: "closed", Labels: []string{"prod-deploy"}, Commits: []string{"c2"}})
	b.settings.PullRequest, b.settings.Commit = 0, "c2"
	c, err := New(b.settings)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := c.Labels(t.Context())
	if err != nil || len(labels) != 112 || labels[0] != "build-ping" || labels[111] != "x109" {
		t.Errorf("%d labels %q, %v", len(labels), labels, err)
	}
	if out := b.say(t, 0, "hello"); out.Action != thread.Created || len(b.Comments(6)) > 0 {
		t.Errorf("the open one got %+v, the closed one %d comments", out, len(b.Comments(6)))
	}
	b.AddPullRequest(fakegithub.PullRequest{Number: 8, State: "open", Labels: []string{"build-web"}, Branch: "feature", Commits: []string{"c2"}})
	b.settings.Branch = "feature" // and #5 stands on the same commit
	if c, err = New(b.settings); err != nil {
		t.Fatal(err)
	}
	if labels, err := c.Labels(t.Context()); err != nil || len(labels) != 1 || labels[0] != "build-web" {
		t.Errorf("labels %q, %v, want those of the branch's own pull request", labels, err)
	}
}

func TestParseEvent(t *testing.T) {
	for name, c := range map[string]struct{ event, want string }{
		"pull request": {`{"action":"labeled","number":12,"pull_request":{"number":12,"labels":[{"name":"tests"},{"name":"dev-deploy"}],"head":{"sha":"abc","repo":{"full_name":"acme/shop"}},"base":{"repo":{"full_name":"acme/shop"}}}}`, `{12 abc [tests dev-deploy] false}`},
		"of a fork":    {`{"pull_request":{"number":12,"labels":[],"head":{"sha":"abc","repo":{"full_name":"bob/shop"}},"base":{"repo":{"full_name":"acme/shop"}}}}`, `{12 abc [] true}`},
		"fork is gone": {`{"pull_request":{"number":12,"head":{"sha":"abc","repo":null},"base":{"repo":{"full_name":"acme/shop"}}}}`, `{12 abc [] true}`},
		"a comment":    {`{"issue":{"number":3,"labels":[{"name":"tests"}],"pull_request":{"url":"x"}}}`, `{3  [tests] false}`},
		"an issue":     {`{"issue":{"number":3,"labels":[]}}`, `{0  [] false}`},
		"a run":        {`{"workflow_run":{"pull_requests":[{"number":4,"head":{"sha":"def"}}]}}`, `{4 def [] false}`},
		"a push":       {`{"ref":"refs/heads/main","after":"abc"}`, `{0  [] false}`},
		"by hand":      {`{"inputs":{"environment":"dev"}}`, `{0  [] false}`},
	} {
		e, err := ParseEvent([]byte(c.event))
		if got := fmt.Sprint(e); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, c.want)
		}
	}
	if _, err := ParseEvent([]byte("<html>")); err == nil || !strings.Contains(err.Error(), "GITHUB_EVENT_PATH") {
		t.Errorf("no JSON: %v", err)
	}
}
