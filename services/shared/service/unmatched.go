package service

import (
	"fmt"
	"net/http"

	"services/shared/jsonhttp"
)

// answerUnmatched lets the mux say 404 or 405 (it alone knows which methods a path has, and
// sets Allow), and replaces its plain text by JSON.
func (s *Service) answerUnmatched(w http.ResponseWriter, r *http.Request) {
	handler, _ := s.mux.Handler(r)
	said := &statusOnly{header: w.Header(), status: http.StatusNotFound}
	handler.ServeHTTP(said, r)

	message := fmt.Sprintf("there is nothing at %s", r.URL.Path)
	if said.status == http.StatusMethodNotAllowed {
		message = fmt.Sprintf("%s is not allowed at %s; allowed: %s", r.Method, r.URL.Path, w.Header().Get("Allow"))
	}
	jsonhttp.WriteError(w, &jsonhttp.Error{Status: said.status, Message: message})
}

// statusOnly keeps a handler's headers and status and drops its body.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
