package fakegitlab

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestStrict asks as no client should, and once as one should.
func TestStrict(t *testing.T) {
	s := Start(t)
	s.AddUser("api", User{ID: 1, Username: "bot", Scopes: []string{"api"}})
	s.AddUser("read", User{ID: 2, Username: "reader", Scopes: []string{"read_api"}})
	s.AddUser("other", User{ID: 3, Username: "other", Scopes: []string{"api"}})
	s.AddProject(Project{ID: 42, Path: "acme/shop", Members: map[string]int{"bot": Reporter, "reader": Reporter}})
	s.AddMergeRequest(42, MergeRequest{IID: 5, State: "opened"})
	for range 130 {
		s.AddNote(42, 5, User{ID: 9, Username: "bob"}, "word")
	}
	const notes = "/projects/acme%2Fshop/merge_requests/5/notes"
	for name, c := range map[string]struct {
		method, path, header, value, kind, body string
		want                                    int
	}{
		"well":              {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":"hi"}`, 201},
		"as a form":         {"POST", notes, "Authorization", "Bearer api", "application/x-www-form-urlencoded", "body=hi", 201},
		"no token":          {"GET", notes, "", "", "", "", 401},
		"a job's token":     {"GET", notes, "JOB-TOKEN", "api", "", "", 401},
		"basic":             {"GET", notes, "Authorization", "Basic api", "", "", 401},
		"reading":           {"GET", notes, "PRIVATE-TOKEN", "read", "", "", 200},
		"reading to write":  {"POST", notes, "PRIVATE-TOKEN", "read", "application/json", `{"body":"hi"}`, 403},
		"no member":         {"GET", notes, "PRIVATE-TOKEN", "other", "", "", 404},
		"no such":           {"GET", "/projects/42/merge_requests/6/notes", "PRIVATE-TOKEN", "api", "", "", 404},
		"path not encoded":  {"GET", "/projects/acme/shop/merge_requests/5/notes", "PRIVATE-TOKEN", "api", "", "", 404},
		"method":            {"PATCH", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":"hi"}`, 405},
		"keyset":            {"GET", notes + "?pagination=keyset", "PRIVATE-TOKEN", "api", "", "", 405},
		"page":              {"GET", notes + "?page=x", "PRIVATE-TOKEN", "api", "", "", 400},
		"sort":              {"GET", notes + "?sort=up", "PRIVATE-TOKEN", "api", "", "", 400},
		"kind":              {"POST", notes, "PRIVATE-TOKEN", "api", "text/plain", "hi", 415},
		"no JSON":           {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", "{", 400},
		"type":              {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":["hi"]}`, 400},
		"missing":           {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{}`, 400},
		"undocumented":      {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":"hi","text":"x"}`, 400},
		"blank":             {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":" "}`, 400},
		"too long":          {"POST", notes, "PRIVATE-TOKEN", "api", "application/json", `{"body":"` + strings.Repeat("x", maxNote+1) + `"}`, 400},
		"somebody else's":   {"PUT", notes + "/101", "PRIVATE-TOKEN", "api", "application/json", `{"body":"hi"}`, 403},
		"note that is gone": {"DELETE", notes + "/1", "PRIVATE-TOKEN", "api", "", "", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.kind)
		if c.header != "" {
			req.Header.Set(c.header, c.value)
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
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+notes+"?per_page=500", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("PRIVATE-TOKEN", "api")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if h := resp.Header; h.Get("X-Per-Page") != "100" || h.Get("X-Next-Page") != "2" || !strings.Contains(h.Get("Link"), `rel="next"`) {
		t.Errorf("the first page's headers are %v", h)
	}
}

func TestQuickActions(t *testing.T) {
	for body, want := range map[string]string{
		"hi\n/close\n": "/close", "```\n/close\n```\n": "", "````\n/close\n````\n": "/close", " /close": "", "see /close": "",
	} {
		if got := strings.Join(quickActions(body), " "); got != want {
			t.Errorf("%q carries out %q, want %q", body, got, want)
		}
	}
}
