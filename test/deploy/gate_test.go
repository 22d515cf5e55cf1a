package deploy

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// gate stands before the Docker daemon on a socket of its own and counts what is written.
type gate struct {
	socket string

	mu     sync.Mutex
	writes []string
	after  func(n int) // called once the daemon has done write n, before its answer goes on
}

// newGate opens one. Only requests that have changed something are counted; the watching goes
// through as it is.
func newGate(t testing.TB, b *bed) *gate {
	t.Helper()
	g := &gate{socket: filepath.Join(t.TempDir(), "gate.sock")}
	daemon := strings.TrimPrefix(b.docker.Host, "unix://")
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", daemon)
		}},
		ModifyResponse: func(r *http.Response) error {
			if m := r.Request.Method; r.StatusCode < 300 && (m == http.MethodPost || m == http.MethodDelete) {
				g.wrote(m + " " + r.Request.URL.Path)
			}
			return nil
		},
	}
	listener, err := net.Listen("unix", g.socket)
	must(t, err)
	server := &http.Server{Handler: proxy}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return g
}

func (g *gate) wrote(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes = append(g.writes, what)
	if g.after != nil {
		g.after(len(g.writes))
	}
}

// watch forgets what was written, and tells it, and calls back from now on.
func (g *gate) watch(after func(n int)) (writes []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	writes, g.writes, g.after = g.writes, nil, after
	return writes
}

// through are the settings by which slipway goes through the gate.
func (g *gate) through() []string {
	return []string{"SERVER_HOST=local", "DOCKER_HOST=unix://" + g.socket}
}
