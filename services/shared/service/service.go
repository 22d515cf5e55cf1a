// Package service holds what every service of this repository answers alike:
//
//	GET /api/service/ping     it is alive, in the form that manifests' health checks ask for
//	GET /api/service/version  which version it is
//	GET /healthz              the process serves; says nothing of what it depends on
//	GET /metrics              Prometheus' text format
package service

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"services/shared/jsonhttp"
)

// Service routes requests and measures them. It is an http.Handler.
type Service struct {
	mux       *http.ServeMux
	unmatched http.Handler
	durations *prometheus.HistogramVec
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
	s := &Service{
		mux: http.NewServeMux(),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Time to answer a request, by route, method and status code.",
			Buckets: prometheus.DefBuckets,
		}, []string{"route", "method", "code"}),
	}
	s.unmatched = s.measured("unmatched", http.HandlerFunc(s.answerUnmatched))

	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "service_info",
		Help:        "Always 1; the labels say what is running.",
		ConstLabels: prometheus.Labels{"service": name, "version": version},
	})
	info.Set(1)
	// A registry of our own: the library's default one is shared by the whole process, so
	// a second service in it (in a test, say) would clash.
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.durations, info, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	s.Handle("GET /api/service/ping", answer(Status{Name: name, Status: "ok"}))
	s.Handle("GET /api/service/version", answer(Version{Name: name, Version: version}))
	s.Handle("GET /healthz", answer(Status{Name: name, Status: "ok"}))
	// Not measured: a scrape would only measure itself.
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return s
}

// Handle adds a route; pattern is http.ServeMux's, such as "GET /api/notes/{id}". Requests
// are measured by pattern and not by path, so that ids do not become labels.
func (s *Service) Handle(pattern string, handler http.Handler) {
	route := pattern
	if _, path, ok := strings.Cut(pattern, " "); ok {
		route = path // the method is a label of its own
	}
	s.mux.Handle(pattern, s.measured(route, handler))
}

// ServeHTTP answers by route. Where there is none, the answer is a 404 or 405 in JSON.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unmatched.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Service) measured(route string, handler http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(s.durations.MustCurryWith(prometheus.Labels{"route": route}), handler)
}

func answer(body any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		jsonhttp.Write(w, http.StatusOK, body)
	})
}
