// Package sshd runs a real OpenSSH server for tests, as if on a machine of its own: it has
// its own users, groups, homes and /var/run/docker.sock, and nothing of the machine's
// accounts is changed. It needs root, and mount and process namespaces.
package sshd

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"slipway/test/aptget"
	"slipway/test/cachedir"
	"slipway/test/child"
)

// Options describe the server; the zero value has root alone, with a key.
type Options struct {
	// Users exist beside root.
	Users []User
	// Config are lines of sshd_config. They come before the harness's own, and the first
	// value of a keyword is what counts (sshd_config(5)).
	Config string
	// HostKeys are the kinds of host keys: "ed25519", "rsa", "ecdsa"; all three if empty.
	HostKeys []string
	// HostCertificates gives each host key a certificate by an authority: see Server.CALine.
	HostCertificates bool
	// DockerSocket is the path of a Docker daemon's socket, which is /var/run/docker.sock to
	// those who log in: root, and users with Docker set.
	DockerSocket string
	// Machine puts the server into another network than this process's, at port 22 of ListenOn
	// there. Host and Port then lead to it from here.
	Machine  Machine
	ListenOn string
	// NoDockerCLI hides the docker command from those who log in.
	NoDockerCLI bool
}

// Machine is where a server can run: *dockerd.Daemon is one.
type Machine interface {
	// Enter moves the calling thread, which must be locked, into the machine's network.
	Enter() error
	// Dial connects as the machine would.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// User is an account of the server's.
type User struct {
	Name string
	// Docker puts the user in the group that may use DockerSocket.
	Docker bool
}

// Server is a running sshd, which 127.0.0.1 leads to.
type Server struct {
	Host string
	Port int

	t        testing.TB
	dir      string
	options  Options
	hostKeys []hostKey
	ca       *hostKey
	userKeys map[string]string // PEM by user

	mu      sync.Mutex
	process *child.Process // the first of its namespaces, nil while down
}

// Start runs an sshd until the test ends, installing Debian's where it is missing (its
// service is not started). If the test fails, the end of the server's log is shown.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("an SSH server for tests needs namespaces and users of its own: run the tests as root")
	}
	aptget.Need(t, "sshd", "openssh-server")
	aptget.Need(t, "tini", "tini")
	s := &Server{
		Host: "127.0.0.1", t: t, options: options, userKeys: map[string]string{},
		// Nothing runs outside the namespaces, which end with the process.
		dir: cachedir.Run(t, "sshd", func(string) error { return nil }),
	}
	if err := s.prepare(); err != nil {
		t.Fatalf("preparing an SSH server: %v", err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("the SSH server's log ends with:\n%s", s.logTail(60))
		}
	})
	if options.Machine != nil {
		if err := s.lead(); err != nil {
			t.Fatalf("making a way to an SSH server: %v", err)
		}
	}
	s.Up()
	return s
}

// Up starts the server, again on the same port and with the same keys after Stop.
func (s *Server) Up() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return
	}
	if err := s.launch(); err != nil {
		s.t.Fatalf("starting an SSH server in %s: %v\n%s", s.dir, err, s.logTail(40))
	}
}

// Stop ends the server with all its connections, as a machine that loses power.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.Kill()
		s.process = nil
	}
}

// Home is the path of a user's home directory, the same for this process and for the server.
func (s *Server) Home(user string) string { return filepath.Join(s.dir, "home", user) }

// UserKey is the private key of a user, as the text of a PEM file.
func (s *Server) UserKey(user string) string { return s.userKeys[user] }
