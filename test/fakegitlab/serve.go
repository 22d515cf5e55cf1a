package fakegitlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type request struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	user    User
	project *Project
	mr      *MergeRequest
	path    []string // below /api/v4/projects/:id
}

func (q *request) json(status int, v any) {
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	_ = json.NewEncoder(q.w).Encode(v)
}

func (q *request) fail(status int, message string) {
	q.json(status, map[string]string{"message": message})
}

// invalid is Grape's answer to a parameter: "page is invalid".
func (q *request) invalid(message string) {
	q.json(http.StatusBadRequest, map[string]string{"error": message})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.EscapedPath())
	q := &request{s: s, w: w, r: r}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/v4/")
	if !ok {
		q.json(http.StatusNotFound, map[string]string{"error": "404 Not Found"})
		return
	}
	parts := strings.Split(path, "/")
	known := parts[0] == "user" && len(parts) == 1 || parts[0] == "projects" && len(parts) > 2
	switch {
	case !known:
		q.json(http.StatusNotFound, map[string]string{"error": "404 Not Found"})
	case !q.authenticate() || !q.scoped():
	case parts[0] == "user":
		if q.method(http.MethodGet) {
			q.json(http.StatusOK, shown(q.user))
		}
	case q.find(parts[1]):
		q.path = parts[2:]
		q.route()
	}
}

// authenticate takes the headers that the API documents. A job's token is none of these
// endpoints' ("CI/CD job token: API endpoints" does not list notes).
func (q *request) authenticate() bool {
	token := q.r.Header.Get("PRIVATE-TOKEN")
	if kind, v, _ := strings.Cut(q.r.Header.Get("Authorization"), " "); token == "" && kind == "Bearer" {
		token = v
	}
	u, ok := q.s.users[token]
	if token == "" || !ok {
		q.fail(http.StatusUnauthorized, "401 Unauthorized")
		return false
	}
	q.user = u
	return true
}

func (q *request) scoped() bool {
	if slices.Contains(q.user.Scopes, "api") || q.r.Method == http.MethodGet && slices.Contains(q.user.Scopes, "read_api") {
		return true
	}
	q.json(http.StatusForbidden, map[string]string{
		"error": "insufficient_scope", "scope": "api",
		"error_description": "The request requires higher privileges than provided by the access token.",
	})
	return false
}

func (q *request) method(allowed ...string) bool {
	if slices.Contains(allowed, q.r.Method) {
		return true
	}
	q.w.Header().Set("Allow", strings.Join(allowed, ", "))
	q.json(http.StatusMethodNotAllowed, map[string]string{"error": "405 Not Allowed"})
	return false
}

// find takes a number or an encoded path: "group%2Fproject".
func (q *request) find(id string) bool {
	name, err := url.PathUnescape(id)
	for _, p := range q.s.projects {
		if err == nil && (strconv.FormatInt(p.ID, 10) == name || p.Path == name) && p.Members[q.user.Username] > 0 {
			q.project = p
			return true
		}
	}
	q.fail(http.StatusNotFound, "404 Project Not Found") // also for those who may not know of it
	return false
}

func (q *request) route() {
	p := q.path
	switch {
	case len(p) >= 2 && p[0] == "merge_requests":
		iid, err := strconv.ParseInt(p[1], 10, 64)
		if err != nil {
			q.invalid("merge_request_iid is invalid")
			return
		}
		if q.mr = q.s.mr(q.project.ID, iid); q.mr == nil {
			q.fail(http.StatusNotFound, "404 Not found")
			return
		}
		q.mergeRequest(p[2:])
	case len(p) == 4 && p[0] == "repository" && p[1] == "commits" && p[3] == "merge_requests":
		if q.method(http.MethodGet) {
			q.ofCommit(p[2])
		}
	default:
		q.json(http.StatusNotFound, map[string]string{"error": "404 Not Found"})
	}
}

func (q *request) mergeRequest(p []string) {
	if q.project.Members[q.user.Username] < Reporter {
		q.fail(http.StatusForbidden, "403 Forbidden")
		return
	}
	switch {
	case len(p) == 0:
		if q.method(http.MethodGet) {
			q.json(http.StatusOK, q.shownMR(q.mr))
		}
	case p[0] == "notes" && len(p) == 1 && q.r.Method == http.MethodPost:
		q.create()
	case p[0] == "notes" && len(p) == 1:
		if q.method(http.MethodGet, http.MethodPost) {
			q.list()
		}
	case p[0] == "notes" && len(p) == 2:
		q.one(p[1])
	default:
		q.json(http.StatusNotFound, map[string]string{"error": "404 Not Found"})
	}
}

func (q *request) ofCommit(sha string) {
	out, found := []any{}, false
	for _, mr := range q.project.mrs {
		if slices.Contains(mr.Commits, sha) {
			found = true
			out = append(out, q.shownMR(mr))
		}
	}
	if !found && !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(sha) {
		q.fail(http.StatusNotFound, "404 Commit Not Found")
		return
	}
	page(q, out)
}

func shown(u User) map[string]any {
	return map[string]any{"id": u.ID, "username": u.Username, "name": u.Username, "state": "active"}
}

func (q *request) shownMR(mr *MergeRequest) map[string]any {
	return map[string]any{
		"id": 1000 + mr.IID, "iid": mr.IID, "project_id": q.project.ID, "state": mr.State, "labels": append([]string{}, mr.Labels...),
		"sha": last(mr.Commits), "source_branch": mr.Branch, "web_url": fmt.Sprintf("https://gitlab.example.com/%s/-/merge_requests/%d", q.project.Path, mr.IID),
	}
}

func last(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}
