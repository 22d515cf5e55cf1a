package gitlab

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-retryablehttp"
	api "gitlab.com/gitlab-org/api/client-go"
)

// TestPages: GitLab gives the next page as a number, as a link, or both; with a keyset it gives
// the link alone.
func TestPages(t *testing.T) {
	for name, next := range map[string]api.Response{
		"a number": {NextPage: 2},
		"a link":   {NextLink: "https://gitlab.example.com/api/v4/x?page=2&per_page=100"},
		"both":     {NextPage: 2, NextLink: "https://gitlab.example.com/api/v4/x?page=7"},
	} {
		var asked []string
		err := pages(func(options ...api.RequestOptionFunc) (*api.Response, error) {
			req, err := retryablehttp.NewRequest(http.MethodGet, "https://gitlab.example.com/api/v4/x?sort=asc", nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range options {
				if err := o(req); err != nil {
					t.Fatal(err)
				}
			}
			if asked = append(asked, req.URL.RawQuery); len(asked) == 1 {
				return &next, nil
			}
			return &api.Response{}, nil
		})
		if d := cmp.Diff([]string{"page=1&per_page=100&sort=asc", "page=2&per_page=100&sort=asc"}, asked); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	endless := func(...api.RequestOptionFunc) (*api.Response, error) { return &api.Response{NextPage: 2}, nil }
	if err := pages(endless); err == nil || !strings.Contains(err.Error(), "more than 1000 pages") {
		t.Errorf("a list without end: %v", err)
	}
}
