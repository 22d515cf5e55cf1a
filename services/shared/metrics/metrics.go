// Package metrics measures a service and tells Prometheus, in its text format:
//
//	http_request_duration_seconds  how many requests, and how long they took: by route, method and code
//	service_info                   1, with the service's name and version
//	go_*, process_*                the runtime and the process
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// DefaultPort is where a service serves them unless METRICS_ADDR says otherwise.
const DefaultPort = "9090"

// Metrics are one service's. They are an http.Handler that answers GET /metrics and nothing else.
type Metrics struct {
	registry  *prometheus.Registry
	durations *prometheus.HistogramVec
	mux       *http.ServeMux
}

// New makes the metrics of a service.
func New(name, version string) *Metrics {
	m := &Metrics{
		// A registry of our own: the library's default one is shared by the whole process, so a
		// second service in it (in a test, say) would clash.
		registry: prometheus.NewRegistry(),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Time to answer a request, by route, method and status code.",
			Buckets: prometheus.DefBuckets,
		}, []string{"route", "method", "code"}),
		mux: http.NewServeMux(),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "service_info",
		Help:        "Always 1; the labels say what is running.",
		ConstLabels: prometheus.Labels{"service": name, "version": version},
	})
	info.Set(1)
	m.Add(m.durations, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return m
}

// Add tells what more there is to be told.
func (m *Metrics) Add(more ...prometheus.Collector) { m.registry.MustRegister(more...) }

// Measure counts and times handler's requests as those of route, which is a pattern and not a
// path: ids in paths would make a new time series each. A method that HTTP does not know is
// "unknown", for the same reason.
func (m *Metrics) Measure(route string, handler http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(m.durations.MustCurryWith(prometheus.Labels{"route": route}), handler)
}

func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }
