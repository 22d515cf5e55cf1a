// Package service holds what every service of this repository answers alike:
//
//	GET /api/service/ping     it is alive, in the form that manifests' health checks ask for
//	GET /api/service/version  which version it is
//	GET /healthz              the process serves; says nothing of what it depends on
//
// and, on a port of its own, GET /metrics (package metrics).
package service

import (
	"net/http"
	"strings"

	"services/shared/jsonhttp"
	"services/shared/metrics"
)

// Service routes requests and measures them. It is an http.Handler.
type Service struct {
	// Metrics are what Prometheus is told; Run serves them.
	Metrics *metrics.Metrics

	mux       *http.ServeMux
	unmatched http.Handler
}

// Status is the answer of /api/service/ping and /healthz.
type Status struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// Version is the answer of /api/service/version.
type Version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// New makes a service with the endpoints above. The version comes from the environment at
// run time and never from the linker: one binary stays one binary under every version. An
// empty one is answered as "dev".
func New(name, version string) *Service {
	if version == "" {
		version = "dev"
	}
	s := &Service{Metrics: metrics.New(name, version), mux: http.NewServeMux()}
	s.unmatched = s.Metrics.Measure("unmatched", http.HandlerFunc(s.answerUnmatched))
	s.Handle("GET /api/service/ping", answer(Status{Name: name, Status: "ok"}))
	s.Handle("GET /api/service/version", answer(Version{Name: name, Version: version}))
	s.Handle("GET /healthz", answer(Status{Name: name, Status: "ok"}))
	return s
}

// Handle adds a route; pattern is http.ServeMux's, such as "GET /api/notes/{id}". Requests
// are measured by pattern and not by path, so that ids do not become labels.
func (s *Service) Handle(pattern string, handler http.Handler) {
	route := pattern
	if _, path, ok := strings.Cut(pattern, " "); ok {
		route = path // the method is a label of its own
	}
	s.mux.Handle(pattern, s.Metrics.Measure(route, handler))
}

// ServeHTTP answers by route. Where there is none, the answer is a 404 or 405 in JSON.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unmatched.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func answer(body any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		jsonhttp.Write(w, http.StatusOK, body)
	})
}
