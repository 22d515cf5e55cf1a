package healthcheck

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	status, asked := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		w.WriteHeader(status)
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()

	if err := Ask(t.Context(), addr); err != nil {
		t.Errorf("healthy: %v", err)
	}
	if asked != "/healthz" {
		t.Errorf("asked %q", asked)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := Ask(t.Context(), ":"+port); err != nil {
		t.Errorf("healthy, on every interface: %v", err)
	}
	status = http.StatusServiceUnavailable
	if err := Ask(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("unhealthy: %v", err)
	}
	server.Close()
	if err := Ask(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("stopped: %v", err)
	}
}

func TestHealthURL(t *testing.T) {
	for addr, want := range map[string]string{
		":8080":          "http://127.0.0.1:8080/healthz",
		"0.0.0.0:8080":   "http://127.0.0.1:8080/healthz",
		"[::]:8080":      "http://127.0.0.1:8080/healthz",
		"10.1.2.3:80":    "http://10.1.2.3:80/healthz",
		"[fd00::1]:80":   "http://[fd00::1]:80/healthz",
		"localhost:8080": "http://localhost:8080/healthz",
	} {
		if got, err := healthURL(addr); err != nil || got != want {
			t.Errorf("%s: %s, %v", addr, got, err)
		}
	}
	if _, err := healthURL("8080"); err == nil || !strings.Contains(err.Error(), `"8080" is not host:port`) {
		t.Errorf("no port: %v", err)
	}
}
