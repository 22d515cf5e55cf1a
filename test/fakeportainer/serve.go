package fakeportainer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var version = regexp.MustCompile(`/v[0-9]\.[0-9]*`)

// serve is the server's routing (api/http/handler/handler.go), in its order: the words are looked
// for anywhere in the path.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.Path, s.path)
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+version.ReplaceAllString(path, ""))
	s.mu.Unlock()
	if len(r.Cookies()) > 0 { // a request with one needs a CSRF token as well
		fail(w, http.StatusForbidden, "Forbidden", "CSRF token invalid")
		return
	}
	rest, inEndpoints := strings.CutPrefix(path, "/api/endpoints")
	switch {
	case !below:
		http.NotFound(w, r) // the server in front knows nothing of it
	case inEndpoints && strings.Contains(path, "/edge/"), inEndpoints && strings.Contains(path, "/kubernetes/helm"):
		http.NotFound(w, r) // other handlers, which have no such route
	case inEndpoints && strings.Contains(path, "/docker/"):
		s.docker(w, r, rest)
	case inEndpoints:
		s.list(w, r, rest)
	case path == "/api/users/me":
		if u, ok := s.user(w, r); ok {
			answer(w, map[string]any{"Id": 1, "Username": u.Name, "Role": role(u), "forceChangePassword": false})
		}
	case path == "/api/system/version":
		if _, ok := s.user(w, r); ok {
			answer(w, map[string]any{"ServerVersion": "2.23.0", "ServerEdition": "Community Edition", "Build": map[string]any{"GoVersion": cmp.Or(s.Go, "go1.24.4")}})
		}
	case strings.HasPrefix(path, "/api/webhooks"):
		s.hooks(w, r, strings.TrimPrefix(path, "/api/webhooks"))
	case path == "/api/status":
		answer(w, map[string]any{"Version": "2.23.0", "InstanceID": "299ab403-70a8-4c05-92f7-bf7a994d50df"})
	case path == "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Portainer</title>")
	default:
		http.NotFound(w, r)
	}
}

func role(u User) int {
	if u.Admin {
		return 1
	}
	return 2
}

// user authenticates (api/http/security/bouncer.go, mwAuthenticateFirst), or answers.
func (s *Server) user(w http.ResponseWriter, r *http.Request) (User, bool) {
	token := r.Header.Get("X-API-Key")
	if token == "" {
		fail(w, http.StatusUnauthorized, "A valid authorization token is missing", "Unauthorized")
		return User{}, false
	}
	s.mu.Lock()
	u, ok := s.tokens[token]
	s.mu.Unlock()
	if !ok {
		fail(w, http.StatusUnauthorized, "Invalid JWT token", "Unauthorized")
	}
	return u, ok
}

// list is api/http/handler/endpoints: all environments, or one.
func (s *Server) list(w http.ResponseWriter, r *http.Request, rest string) {
	u, ok := s.user(w, r)
	if !ok {
		return
	}
	if rest != "" {
		if e, ok := s.environment(w, u, strings.Trim(rest, "/")); ok {
			answer(w, shown(e))
		}
		return
	}
	out := []any{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.environments {
		if name := r.URL.Query().Get("name"); (u.Admin || u.Sees) && (name == "" || name == e.Name) {
			out = append(out, shown(e))
		}
	}
	answer(w, out)
}

func shown(e Environment) map[string]any {
	return map[string]any{"Id": e.ID, "Name": e.Name, "Type": types[e.Kind], "URL": e.url(), "Status": 1, "GroupId": 1, "Snapshots": []any{}}
}

func (s *Server) environment(w http.ResponseWriter, u User, id string) (Environment, bool) {
	n, err := strconv.Atoi(id)
	if err != nil {
		fail(w, http.StatusBadRequest, "Invalid environment identifier route variable", fmt.Sprintf("Strconv.Atoi: parsing %q: invalid syntax", id))
		return Environment{}, false
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.environments, func(e Environment) bool { return e.ID == n })
	var e Environment
	if i >= 0 {
		e = s.environments[i]
	}
	s.mu.Unlock()
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "Unable to find an environment with the specified identifier inside the database", "Object not found inside the database")
	case !u.Admin && !u.Sees:
		fail(w, http.StatusForbidden, "Permission denied to access environment", "Access denied to environment")
	default:
		return e, true
	}
	return Environment{}, false
}

// fail is an error of Portainer's own (pkg/libhttp/error).
func fail(w http.ResponseWriter, status int, message, details string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message, "details": details})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
