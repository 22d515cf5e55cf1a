package remote_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"slipway/deploy/remote"
	"slipway/secret"
	"slipway/test/sshd"
)

// connect wants a connection to work.
func connect(t *testing.T, s remote.Settings) *remote.Host {
	t.Helper()
	host, err := remote.Connect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// refuses wants Connect to end in this whole text, and an error of this kind.
func refuses(t *testing.T, s remote.Settings, kind error, want string) {
	t.Helper()
	host, err := remote.Connect(t.Context(), s)
	if err == nil {
		_ = host.Close()
		t.Errorf("connected to %s; want the error: %s", host.Name, want)
		return
	}
	if err.Error() != want || kind != nil && !errors.Is(err, kind) {
		t.Errorf("got an error (of the wanted kind: %t)\n%s\nwant\n%s", errors.Is(err, kind), err, want)
	}
}

// id asks for the daemon's identity, which no other daemon has.
func id(t *testing.T, docker *client.Client) string {
	t.Helper()
	info, err := docker.Info(t.Context(), client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info.Info.ID
}

// as are settings that log in to s.
func as(s *sshd.Server, user string) remote.Settings {
	return remote.Settings{Server: s.Address(), User: user, Key: secret.New(s.UserKey(user)), KnownHosts: s.KnownHosts()}
}

// shortDir is a directory that a socket's path, of at most 107 bytes, can be in.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "docker-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// fake is a daemon of which only these answers are there, by path ("/info").
func fake(t *testing.T, answers map[string]string) (socket string) {
	t.Helper()
	socket = filepath.Join(shortDir(t), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		for path, answer := range answers {
			if strings.HasSuffix(r.URL.Path, path) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, answer)
				return
			}
		}
		_, _ = io.WriteString(w, "OK")
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return socket
}
