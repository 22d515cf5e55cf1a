// Package dev runs dev:up and dev:down against a Docker daemon of the test's own.
package dev

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/relay"
	"slipway/test/slipwaycmd"
)

var slipway *slipwaycmd.Binary

func TestMain(m *testing.M) {
	var err error
	if slipway, err = slipwaycmd.Compile(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	slipway.Remove()
	os.Exit(code)
}

// laptop is a machine with Docker, and a repository on it.
type laptop struct {
	docker *dockerd.Daemon
	repo   *gitrepo.Repo
	port   int // of the registry, on both sides of the daemon's network
	env    []string
}

const alpine = "alpine:3.20"

func newLaptop(t *testing.T) *laptop {
	t.Helper()
	l := &laptop{docker: dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, alpine).Host}}), repo: gitrepo.New(t)}
	l.port = l.forward(t)
	l.env = []string{
		"DOCKER_HOST=" + l.docker.Host, "SLIPWAY_ENGINE=docker", "SLIPWAY_CACHE=" + t.TempDir(),
		// What is set for servers elsewhere must not count here.
		"SERVER_HOST=deploy@swarm.example.com", "DEV_SERVER_HOST=deploy@dev.example.com", "REGISTRY=registry.example.com/acme",
		"NOTIFY_URL=generic+https://chat.example.com/", "CI_DEPLOY_PASSWORD=of-another-registry",
	}
	return l
}

// forward joins a free port of this machine with the same of the daemon's: on a laptop they are
// one. It stays for the test's time.
func (l *laptop) forward(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	address := listener.Addr().String()
	go relay.Serve(listener, func() (net.Conn, error) {
		return l.docker.Dial(context.Background(), "tcp4", address)
	})
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return n
}

func (l *laptop) start(t *testing.T, args ...string) *slipwaycmd.Process {
	t.Helper()
	return slipway.Start(t, l.repo.Dir, l.env, args...)
}

func (l *laptop) up(t *testing.T) slipwaycmd.Result {
	t.Helper()
	return l.run(t, "dev:up", fmt.Sprintf("-port=%d", l.port))
}

// limit bounds one call: more than a slow machine needs to compile the registry with a cold cache.
const limit = 15 * time.Minute

func (l *laptop) run(t *testing.T, args ...string) slipwaycmd.Result {
	t.Helper()
	return l.start(t, args...).Wait(t, limit)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition of the outside world.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}
