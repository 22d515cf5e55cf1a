package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gate is a server on this machine that a build step asks and waits for, so that a test
// knows that the step is running and decides when it goes on.
type gate struct {
	url     string
	arrived chan struct{}
	opened  chan struct{}
	once    sync.Once
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 100), opened: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.opened:
			_, _ = w.Write([]byte("go on\n"))
		case <-q.Context().Done():
		}
	}))
	g.url = s.URL
	t.Cleanup(func() {
		g.open()
		s.CloseClientConnections()
		s.Close()
	})
	return g
}

// wait returns when a step is at the gate; p, whose step it is, must not end before.
func (g *gate) wait(t testing.TB, p *process) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-p.Done:
		t.Fatalf("it ended before its step ran:\n%s", p.Stderr.String())
	case <-time.After(limit):
		t.Fatalf("its step does not run:\n%s", p.Stderr.String())
	}
}

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// dockerfile waits at the gate.
func (g *gate) dockerfile() string {
	return "FROM alpine:3.20\nCOPY app.txt /\nRUN wget -qO /answer " + g.url + "/\n"
}

// containers are the names of those that the engine of a cache directory runs.
func containers(t testing.TB, cache string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(cache, "buildkit", "runc"))
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// server is the process of the engine of a cache directory.
func server(t testing.TB, cache string) int {
	t.Helper()
	var holder struct{ PID int }
	must(t, json.Unmarshal([]byte(read(t, cache, "buildkit", "server.lock")), &holder))
	return holder.PID
}

// signal sends a signal to the whole process group, as a terminal does.
func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(-p.Cmd.Process.Pid, s))
}

// leftovers are what is below build/ of a run that is not done with it.
func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "build", ".slipway-*"))
	must(t, err)
	return found
}
