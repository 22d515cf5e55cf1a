// Package registry runs a real image registry (CNCF distribution) inside a test.
package registry

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/felixge/httpsnoop"
)

// Options say how the registry behaves; the zero value takes all from everybody.
type Options struct {
	// Users and their passwords. Without any, nobody has to log in.
	Users map[string]string
	// ReadOnly names users who may pull and not push; "" is whoever is not logged in.
	ReadOnly []string
	// Dir keeps the registry's content on disk. Empty keeps it in memory.
	Dir string
}

// Registry is a running registry. Its methods are safe for concurrent use.
type Registry struct {
	// Host is its address as an image reference begins: "127.0.0.1:41234".
	Host string

	t       testing.TB
	handler http.Handler

	mu       sync.Mutex
	server   *http.Server // nil while down
	listener net.Listener // of server
	hold     *heldPort    // nil while up
	requests []Request
}

// Start runs a registry on a free port of 127.0.0.1 until the test ends.
func Start(t testing.TB, options Options) *Registry {
	t.Helper()
	app := handlers.NewApp(t.Context(), configure(t, options))
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("starting a registry: %v", err)
	}
	r := &Registry{Host: listener.Addr().String(), t: t}
	r.handler = r.record(refusePushes(options, app))
	r.serve(listener)
	t.Cleanup(func() {
		r.Down()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.hold.release()
		if err := app.Shutdown(); err != nil {
			t.Errorf("stopping the registry: %v", err)
		}
	})
	return r
}

// Down makes the registry unreachable: connections are cut and new ones refused. What was
// pushed is kept, and so is the port.
func (r *Registry) Down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return
	}
	if err := r.server.Close(); err != nil {
		r.t.Errorf("taking the registry down: %v", err)
	}
	r.server = nil
	_ = r.listener.Close() // the server may not have begun to serve, and knows of none then
	hold, err := holdPort(r.Host)
	if err != nil {
		r.t.Fatalf("taking the registry down: %v", err)
	}
	r.hold = hold
}

// Up brings it back on the same port.
func (r *Registry) Up() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return
	}
	listener, err := r.hold.listen()
	if err != nil {
		r.t.Fatalf("bringing the registry up again on %s: %v", r.Host, err)
	}
	r.hold = nil
	r.serve(listener)
}

func (r *Registry) serve(listener net.Listener) {
	server := &http.Server{Handler: r.handler}
	r.server, r.listener = server, listener
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed in Down
}

// Request is one answered request.
type Request struct {
	Method, Path, User string
	Status             int
}

func (q Request) String() string { return fmt.Sprintf("%s %s %d", q.Method, q.Path, q.Status) }

// Requests gives what was answered so far, oldest first.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.requests...)
}

// Writes gives the requests that tried to change something, whether they could or not.
func (r *Registry) Writes() []Request {
	var writes []Request
	for _, q := range r.Requests() {
		if isWrite(q.Method) {
			writes = append(writes, q)
		}
	}
	return writes
}

// Forget empties the log of requests.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

func (r *Registry) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		user, _, _ := q.BasicAuth()
		status := httpsnoop.CaptureMetrics(next, w, q).Code
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, Request{Method: q.Method, Path: q.URL.Path, User: user, Status: status})
	})
}
