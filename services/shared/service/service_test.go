package service

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestEndpoints(t *testing.T) {
	svc := New("ping", "20240725_4605cc6e")
	svc.Handle("GET /api/things/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Thing", r.PathValue("id"))
	}))
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/api/service/ping", 200, `{"name":"ping","status":"ok"}` + "\n"},
		{"GET", "/api/service/version", 200, `{"name":"ping","version":"20240725_4605cc6e"}` + "\n"},
		{"GET", "/healthz", 200, `{"name":"ping","status":"ok"}` + "\n"},
		{"GET", "/nothing", 404, `{"error":"there is nothing at /nothing"}` + "\n"},
		{"POST", "/healthz", 405, `{"error":"POST is not allowed at /healthz; allowed: GET, HEAD"}` + "\n"},
	} {
		w := ask(t, svc, test.method, test.path)
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s %s: %d %s", test.method, test.path, w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s %s: Content-Type %q", test.method, test.path, kind)
		}
	}
	if thing := ask(t, svc, "GET", "/api/things/7").Header().Get("X-Thing"); thing != "7" {
		t.Errorf("a route of the service's own: %q", thing)
	}
	if allow := ask(t, svc, "POST", "/healthz").Header().Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow: %q", allow)
	}
}

func TestVersionUnset(t *testing.T) {
	if w := ask(t, New("ping", ""), "GET", "/api/service/version"); !strings.Contains(w.Body.String(), `"dev"`) {
		t.Error(w.Body)
	}
}

func TestMetrics(t *testing.T) {
	svc := New("ping", "v1")
	svc.Handle("GET /api/things/{id}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, path := range []string{"/api/things/1", "/api/things/2", "/nothing", "/api/service/ping"} {
		ask(t, svc, "GET", path)
	}
	ask(t, svc, "BREW", "/nothing")
	if w := ask(t, svc, "GET", "/metrics"); w.Code != 404 {
		t.Errorf("/metrics beside the service's own routes: %d", w.Code)
	}
	w := ask(t, svc.Metrics, "GET", "/metrics")
	for _, line := range []string{
		`service_info{service="ping",version="v1"} 1`,
		`http_request_duration_seconds_count{code="200",method="get",route="/api/things/{id}"} 2`,
		`http_request_duration_seconds_count{code="404",method="get",route="unmatched"} 2`, // /metrics, too
		`http_request_duration_seconds_count{code="404",method="unknown",route="unmatched"} 1`,
		`http_request_duration_seconds_count{code="200",method="get",route="/api/service/ping"} 1`,
		`go_goroutines `,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if t.Failed() {
		t.Log(w.Body)
	}
}
