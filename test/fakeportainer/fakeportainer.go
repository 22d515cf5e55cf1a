// Package fakeportainer is the part of Portainer's server that slipway uses, in front of a real
// Docker daemon: Community Edition 2.23.0, written after its source (github.com/portainer/portainer,
// api/http) and held against that server by hand. It has the real one's traps, and refuses what
// that refuses.
package fakeportainer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/test/faulty"
)

// Kind is how Portainer reaches an environment's daemon.
type Kind int

// Kinds.
const (
	Socket Kind = iota // the socket on Portainer's own machine
	TCP                // the daemon's port
	Agent              // an agent on each node
	Kubernetes
)

// types are as api/portainer.go numbers them (EndpointType).
var types = map[Kind]int{Socket: 1, TCP: 1, Agent: 2, Kubernetes: 5}

// Environment is a daemon that Portainer knows.
type Environment struct {
	ID   int
	Name string
	Kind Kind
	// Daemon is the socket behind it, Node the name of the machine it is on.
	Daemon, Node string
	Down         bool
}

func (e Environment) url() string {
	switch e.Kind {
	case Socket:
		return "unix:///var/run/docker.sock"
	case TCP:
		return "tcp://docker.internal:2375"
	case Agent:
		return "tcp://tasks.agent:9001"
	}
	return "https://kubernetes.internal"
}

// User is whose access token it is.
type User struct {
	Name  string
	Admin bool
	Sees  bool // the environments, where it is no administrator
}

// Options say what the fake has.
type Options struct {
	Environments []Environment
	// Path is where Portainer is, behind a server that hands only this on: "/portainer".
	Path string
}

// Server is the fake. It speaks TLS.
type Server struct {
	URL string // as PORTAINER_URL
	CA  string // a file with the authority of its certificate

	// Go is what Portainer says that it was made with: a release that hands on the end of an input,
	// as all from 1.24 on do, unless set. That of 2.23.0 was older.
	Go string

	// Faults come before Portainer: whatever a server in front of it may do.
	Faults faulty.Plan

	path string

	mu           sync.Mutex
	environments []Environment
	tokens       map[string]User
	registries   map[int]registry
	webhooks     map[string]webhook
	owners       map[string]string // who made what through Portainer, by id
	requests     []string
}

// quiet is for what tests want: clients that do not trust the server, and daemons that are down.
var quiet = log.New(io.Discard, "", 0)

type registry struct{ host, user, password string }

// Start runs a fake until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{
		path: o.Path, environments: o.Environments, tokens: map[string]User{}, registries: map[int]registry{},
		webhooks: map[string]webhook{}, owners: map[string]string{},
	}
	for i := range s.environments {
		if s.environments[i].ID == 0 {
			s.environments[i].ID = i + 1
		}
	}
	// Faults reads bodies to their end, which a connection that changes its protocol has not.
	faulty := s.Faults.Wrap(http.HandlerFunc(s.serve))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Faults.Left() == 0 {
			s.serve(w, r)
			return
		}
		faulty.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.URL = server.URL + o.Path
	s.CA = filepath.Join(t.TempDir(), "portainer.pem")
	if err := os.WriteFile(s.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Host is the server's address as SERVER_HOST has it, for an environment.
func (s *Server) Host(environment string) string {
	return "portainer" + strings.TrimPrefix(s.URL, "https") + "?endpoint=" + environment
}

// AddToken makes an access token work.
func (s *Server) AddToken(token string, u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = u
}

// RemoveToken makes it stop working.
func (s *Server) RemoveToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// AddRegistry makes Portainer know credentials for a registry, and gives its number.
func (s *Server) AddRegistry(host, user, password string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registries[len(s.registries)+1] = registry{host, user, password}
	return len(s.registries)
}

// SetDown makes an environment's daemon unreachable, or reachable again.
func (s *Server) SetDown(name string, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.environments {
		if s.environments[i].Name == name {
			s.environments[i].Down = down
		}
	}
}

// Requests are "METHOD path" of what was asked, without Docker's API version.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// Forget forgets the requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// OtherCA is a file with an authority that has signed nothing here.
func OtherCA(t testing.TB, now time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "another authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
