// Package vault is a fake of HashiCorp Vault for tests, made from the documentation of its HTTP
// API: key-value engines of both versions, reading alone. It is strict: a request that is not
// documented so fails the test.
package vault

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Options say what Vault holds.
type Options struct {
	// Token is the one that may read, Namespace the one that everything is in.
	Token, Namespace string
	// V1 and V2 are engines of these versions by where they are mounted ("secret"), with the
	// fields of their secrets by path. No fields: a deleted secret.
	V1, V2 map[string]map[string]map[string]any
	// Denied are paths that the token may not read.
	Denied []string
	// Other are engines that hold no key-value secrets, by where they are mounted, with their type.
	Other map[string]string
	TLS   bool
}

// Server is a running fake.
type Server struct {
	Address string
	// CACert is a file with the authority of its certificate, with TLS.
	CACert string

	t testing.TB
	o Options

	mu     sync.Mutex
	sealed bool
	reads  []string
}

// Start runs one until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, o: o}
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if o.TLS {
		server.StartTLS()
		s.CACert = filepath.Join(t.TempDir(), "ca.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(s.CACert, block, 0o644); err != nil {
			t.Fatal(err)
		}
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	s.Address = server.URL
	return s
}

// Seal makes it answer as a sealed one does.
func (s *Server) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
}

// Reads are the paths of secrets that were read, in order.
func (s *Server) Reads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reads)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	switch {
	case r.Method != http.MethodGet || !ok || r.URL.RawQuery != "":
		s.t.Errorf("Vault was asked %s %s, which is no reading of a secret", r.Method, r.URL)
		fail(w, http.StatusMethodNotAllowed, "unsupported operation")
	case r.Header.Get("X-Vault-Request") != "true": // "Request Header": asked for by agents and good manners
		s.t.Errorf("Vault was asked for %s without the header X-Vault-Request", path)
		fail(w, http.StatusPreconditionFailed, "missing 'X-Vault-Request' header")
	case s.sealed:
		fail(w, http.StatusServiceUnavailable, "Vault is sealed")
	case r.Header.Get("X-Vault-Namespace") != s.o.Namespace:
		fail(w, http.StatusForbidden, "permission denied") // another namespace shows nothing of this one
	case r.Header.Get("X-Vault-Token") != s.o.Token:
		fail(w, http.StatusForbidden, "permission denied", "invalid token")
	default:
		s.answer(w, path)
	}
}

func (s *Server) answer(w http.ResponseWriter, path string) {
	if asked, ok := strings.CutPrefix(path, "sys/internal/ui/mounts/"); ok {
		s.mount(w, asked)
		return
	}
	s.reads = append(s.reads, path)
	if slices.Contains(s.o.Denied, path) {
		fail(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		return
	}
	for mount, secrets := range s.o.V1 {
		if fields, ok := secrets[strings.TrimPrefix(path, mount+"/")]; ok && strings.HasPrefix(path, mount+"/") {
			write(w, http.StatusOK, map[string]any{"lease_duration": 2764800, "renewable": false, "data": fields})
			return
		}
	}
	for mount, secrets := range s.o.V2 {
		fields, ok := secrets[strings.TrimPrefix(path, mount+"/data/")]
		switch {
		case !ok || !strings.HasPrefix(path, mount+"/data/"):
		case fields == nil:
			write(w, http.StatusNotFound, map[string]any{"data": map[string]any{"data": nil, "metadata": map[string]any{"deletion_time": "2026-03-22T02:36:33.954880664Z", "destroyed": false, "version": 1}}})
			return
		default:
			write(w, http.StatusOK, map[string]any{"data": map[string]any{"data": fields, "metadata": map[string]any{"created_time": "2026-03-22T02:24:06.945319214Z", "deletion_time": "", "destroyed": false, "version": 2}}})
			return
		}
	}
	fail(w, http.StatusNotFound)
}

// mount answers in which engine a path is, where the token may read anything there.
func (s *Server) mount(w http.ResponseWriter, path string) {
	found := func(mount, kind string, options map[string]string) bool {
		if !strings.HasPrefix(path, mount+"/") {
			return false
		}
		write(w, http.StatusOK, map[string]any{"data": map[string]any{"path": mount + "/", "type": kind, "options": options}})
		return true
	}
	for mount := range s.o.V1 {
		if found(mount, "kv", map[string]string{"version": "1"}) {
			return
		}
	}
	for mount := range s.o.V2 {
		if found(mount, "kv", map[string]string{"version": "2"}) {
			return
		}
	}
	for mount, kind := range s.o.Other {
		if found(mount, kind, nil) {
			return
		}
	}
	fail(w, http.StatusForbidden, "preflight capability check returned 403, please ensure client's policies grant access to path \""+path+"/\"")
}

func fail(w http.ResponseWriter, code int, errors ...string) {
	write(w, code, map[string]any{"errors": append([]string{}, errors...)})
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
