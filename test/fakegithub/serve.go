package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type request struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	token Token
}

func (q *request) json(status int, v any) {
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	q.w.WriteHeader(status)
	_ = json.NewEncoder(q.w).Encode(v)
}

func (q *request) fail(status int, message string) {
	q.json(status, map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	q := &request{s: s, w: w, r: r}
	if q.headers() && q.authenticate() {
		q.route()
	}
}

// headers are what https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api asks for.
func (q *request) headers() bool {
	accept, version := q.r.Header.Get("Accept"), q.r.Header.Get("X-GitHub-Api-Version")
	switch {
	case q.r.Header.Get("User-Agent") == "":
		q.fail(http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
	case accept != "" && !strings.Contains(accept, "application/vnd.github") && !strings.Contains(accept, "application/json") && !strings.Contains(accept, "*/*"):
		q.fail(http.StatusUnsupportedMediaType, "Unsupported 'Accept' header: '"+accept+"'. Must accept 'application/json'.")
	case version != "" && version != "2022-11-28":
		q.fail(http.StatusBadRequest, "The version '"+version+"' is not supported")
	default:
		return true
	}
	return false
}

func (q *request) authenticate() bool {
	kind, token, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	t, ok := q.s.tokens[token]
	switch {
	case kind == "":
		q.fail(http.StatusUnauthorized, "Requires authentication")
	case kind != "Bearer" && kind != "token" || !ok:
		q.fail(http.StatusUnauthorized, "Bad credentials")
	default:
		q.token = t
		return true
	}
	return false
}

// may asks for a permission, any of several. A workflow's token is told what is missing; to a
// person's the repository is not there.
func (q *request) may(level string, any ...string) bool {
	for _, p := range any {
		if have := q.token.Permissions[p]; have == "write" || have == level {
			return true
		}
	}
	var names []string
	for _, p := range any {
		names = append(names, p+"="+level)
	}
	if q.token.Installation || len(q.token.Permissions) > 0 {
		q.w.Header().Set("X-Accepted-GitHub-Permissions", strings.Join(names, "; "))
		q.fail(http.StatusForbidden, "Resource not accessible by integration")
		return false
	}
	q.fail(http.StatusNotFound, "Not Found")
	return false
}

var routes = []struct {
	method  string
	path    *regexp.Regexp
	handler func(*request, []string)
}{
	{"GET", regexp.MustCompile(`^issues/(\d+)/comments$`), (*request).list},
	{"POST", regexp.MustCompile(`^issues/(\d+)/comments$`), (*request).create},
	{"PATCH", regexp.MustCompile(`^issues/comments/(\d+)$`), (*request).one},
	{"GET", regexp.MustCompile(`^issues/comments/(\d+)$`), (*request).one},
	{"DELETE", regexp.MustCompile(`^issues/comments/(\d+)$`), (*request).one},
	{"GET", regexp.MustCompile(`^issues/(\d+)/labels$`), (*request).labels},
	{"GET", regexp.MustCompile(`^commits/([0-9a-zA-Z]+)/pulls$`), (*request).ofCommit},
}

func (q *request) route() {
	path := strings.TrimPrefix(q.r.URL.Path, "/")
	if path == "user" && q.r.Method == http.MethodGet {
		if q.token.Installation {
			q.fail(http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		q.json(http.StatusOK, user(q.token))
		return
	}
	rest, ok := strings.CutPrefix(path, "repos/"+q.s.Repository+"/")
	for _, r := range routes {
		if m := r.path.FindStringSubmatch(rest); ok && m != nil && r.method == q.r.Method {
			r.handler(q, m)
			return
		}
	}
	q.fail(http.StatusNotFound, "Not Found") // GitHub has no 405: a wrong method is a wrong path
}

// issue finds a pull request by its number.
func (q *request) issue(number string) *PullRequest {
	n, _ := strconv.Atoi(number)
	p := q.s.pull(n)
	if p == nil {
		q.fail(http.StatusNotFound, "Not Found")
	}
	return p
}

func (q *request) labels(m []string) {
	if !q.may("read", "issues", "pull_requests") {
		return
	}
	if p := q.issue(m[1]); p != nil {
		all := []any{}
		for i, l := range p.Labels {
			all = append(all, map[string]any{"id": i, "name": l, "color": "ffffff", "default": false})
		}
		q.page(all)
	}
}

func (q *request) ofCommit(m []string) {
	if !q.may("read", "pull_requests", "contents") {
		return
	}
	all := []any{}
	for _, p := range q.s.pulls {
		if slices.Contains(p.Commits, m[1]) {
			all = append(all, map[string]any{"id": 5000 + p.Number, "number": p.Number, "state": p.State, "head": map[string]any{"ref": p.Branch}})
		}
	}
	q.page(all)
}

func user(t Token) map[string]any {
	kind := "User"
	if t.Installation {
		kind = "Bot"
	}
	return map[string]any{"id": t.ID, "login": t.Login, "type": kind}
}

// page answers with a part of a list: 30 a page unless asked otherwise, never more than 100.
func (q *request) page(all []any) {
	number := func(name string, def int) int {
		if n, err := strconv.Atoi(q.r.URL.Query().Get(name)); err == nil && n > 0 {
			return n
		}
		return def // GitHub takes what is no number for its default
	}
	at, per := number("page", 1), min(number("per_page", 30), 100)
	pages := max((len(all)+per-1)/per, 1)
	var links []string
	link := func(rel string, n int) {
		v := q.r.URL.Query()
		v.Set("page", strconv.Itoa(n))
		links = append(links, fmt.Sprintf(`<http://%s%s?%s>; rel="%s"`, q.r.Host, q.r.URL.Path, v.Encode(), rel))
	}
	if at > 1 {
		link("prev", at-1)
		link("first", 1)
	}
	if at < pages {
		link("next", at+1)
		link("last", pages)
	}
	if links != nil {
		q.w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min((at-1)*per, len(all))
	q.json(http.StatusOK, all[from:min(from+per, len(all))])
}
