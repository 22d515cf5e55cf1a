package fakegithub

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestStrict asks as no client should, and once as one should.
func TestStrict(t *testing.T) {
	s := Start(t, "acme/shop")
	s.AddToken("bot", Token{ID: 1, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"issues": "write"}})
	s.AddToken("read", Token{ID: 1, Login: "github-actions[bot]", Installation: true, Permissions: map[string]string{"issues": "read"}})
	s.AddToken("other", Token{ID: 2, Login: "other"})
	s.AddPullRequest(PullRequest{Number: 5, State: "open"})
	s.AddPullRequest(PullRequest{Number: 6, State: "open", Locked: true})
	for range 130 {
		s.AddComment(5, Token{ID: 9, Login: "bob"}, "word")
	}
	const path = "/repos/acme/shop/issues/5/comments"
	for name, c := range map[string]struct {
		method, path, auth, body string
		header                   [2]string
		want                     int
	}{
		"well":           {"POST", path, "Bearer bot", `{"body":"hi"}`, [2]string{}, 201},
		"the old way":    {"POST", path, "token bot", `{"body":"hi"}`, [2]string{"Accept", "application/vnd.github+json"}, 201},
		"no token":       {"GET", path, "", "", [2]string{}, 401},
		"wrong token":    {"GET", path, "Bearer x", "", [2]string{}, 401},
		"basic":          {"GET", path, "Basic bot", "", [2]string{}, 401},
		"no agent":       {"GET", path, "Bearer bot", "", [2]string{"User-Agent", ""}, 403},
		"accept":         {"GET", path, "Bearer bot", "", [2]string{"Accept", "text/html"}, 415},
		"version":        {"GET", path, "Bearer bot", "", [2]string{"X-GitHub-Api-Version", "2020-01-01"}, 400},
		"who am I":       {"GET", "/user", "Bearer bot", "", [2]string{}, 403},
		"read":           {"GET", path, "Bearer read", "", [2]string{}, 200},
		"read to write":  {"POST", path, "Bearer read", `{"body":"hi"}`, [2]string{}, 403},
		"no access":      {"GET", path, "Bearer other", "", [2]string{}, 404},
		"method":         {"PUT", path, "Bearer bot", `{"body":"hi"}`, [2]string{}, 404},
		"no JSON":        {"POST", path, "Bearer bot", `{`, [2]string{}, 400},
		"missing":        {"POST", path, "Bearer bot", `{}`, [2]string{}, 422},
		"type":           {"POST", path, "Bearer bot", `{"body":1}`, [2]string{}, 422},
		"undocumented":   {"POST", path, "Bearer bot", `{"body":"hi","text":"x"}`, [2]string{}, 422},
		"blank":          {"POST", path, "Bearer bot", `{"body":" "}`, [2]string{}, 422},
		"too long":       {"POST", path, "Bearer bot", `{"body":"` + strings.Repeat("x", maxBody+1) + `"}`, [2]string{}, 422},
		"locked":         {"POST", "/repos/acme/shop/issues/6/comments", "Bearer bot", `{"body":"hi"}`, [2]string{}, 403},
		"comment is not": {"PATCH", "/repos/acme/shop/issues/comments/1", "Bearer bot", `{"body":"hi"}`, [2]string{}, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.auth != "" {
			req.Header.Set("Authorization", c.auth)
		}
		if c.header[0] != "" {
			req.Header.Set(c.header[0], c.header[1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %s %.200s, want %d", name, resp.Status, said, c.want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path+"?per_page=500", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer bot")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if n := strings.Count(string(said), `"body"`); n != 100 || !strings.Contains(resp.Header.Get("Link"), `rel="next"`) {
		t.Errorf("the first page has %d comments, and Link is %q", n, resp.Header.Get("Link"))
	}
}
