package e2e

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The record comes from a job's page on GitLab, or from an artifact on GitHub. A token goes to
// where the clone comes from, and nowhere else.
func TestARecordComesFromWhereCIKeepsIt(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "ci:run", "-event=merge", "-labels=build-alfa").Exits(t, 2)
	record := read(t, file(r, "build/ci.json"))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("ci.json")
	must(t, err)
	_, err = w.Write([]byte(record))
	must(t, err)
	must(t, z.Close())
	var seen []string
	var address string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		token := q.Header.Get("PRIVATE-TOKEN") + q.Header.Get("Authorization")
		seen = append(seen, strings.TrimSpace(q.URL.EscapedPath()+" "+token))
		switch {
		// https://docs.gitlab.com/api/job_artifacts/#download-a-single-artifact-file-by-job-id
		case q.URL.EscapedPath() == "/api/v4/projects/acme%2Fshop/jobs/42/artifacts/build/ci.json" && token == "glpat-1":
			_, _ = fmt.Fprint(w, record)
		// https://docs.github.com/en/rest/actions/artifacts#download-an-artifact
		case q.URL.Path == "/api/v3/repos/acme/shop/actions/artifacts/7/zip" && token == "Bearer ghp-1":
			http.Redirect(w, q, address+"/blob?sig=1", http.StatusFound)
		case q.URL.Path == "/blob" && token == "":
			_, _ = w.Write(archive.Bytes())
		case token == "":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	address = server.URL
	here := second{clone: r.Clone(t)}
	here.clone.Git("remote", "set-url", "origin", address+"/acme/shop.git")
	tokens := []string{"GITLAB_TOKEN=glpat-1", "GITHUB_TOKEN=ghp-1"}
	for _, page := range []string{"/acme/shop/-/jobs/42", "/acme/shop/-/jobs/42/artifacts/file/build/ci.json", "/acme/shop/actions/runs/6/artifacts/7"} {
		here.repro(t, 0, tokens, address+page).Prints(t, "The failure is reproduced.")
	}
	elsewhere := second{clone: r.Clone(t)}
	elsewhere.clone.Git("remote", "set-url", "origin", "git@git.example.com:acme/shop.git")
	seen = nil
	for _, c := range []struct {
		of   second
		env  []string
		page string
		says string
	}{
		{elsewhere, tokens, "/acme/shop/-/jobs/42", ". GITLAB_TOKEN was not shown to 127.0.0.1, which is not where this clone comes from"},
		{elsewhere, tokens, "/acme/shop/actions/runs/6/artifacts/7", ". GITHUB_TOKEN was not shown to 127.0.0.1, which is not where this clone comes from"},
		{here, nil, "/acme/shop/-/jobs/42", "slipway: getting the run's record: GitLab does not give build/ci.json of job 42 in acme/shop: "},
		{here, nil, "/acme/shop/-/jobs/42", ". If that needs a token: GITLAB_TOKEN is not set"},
		{here, nil, "/ci.json", "slipway: getting the run's record: " + address + "/ci.json: 401 Unauthorized"},
	} {
		if got := c.of.repro(t, 2, c.env, address+c.page); !strings.Contains(got.Stderr, c.says) {
			t.Errorf("%s says\n%s\nwant %s", c.page, got.Stderr, c.says)
		}
	}
	if all := strings.Join(seen, "\n"); strings.Contains(all, "glpat") || strings.Contains(all, "ghp-1") {
		t.Errorf("a token was sent to a host of the address's choice:\n%s", all)
	}
}
