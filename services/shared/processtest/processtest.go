// Package processtest runs a service as a process of its own, to test what only a process
// has: signals, exit codes, standard error. The test binary itself is the service, so no
// compiler is needed.
package processtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asService marks a test binary that is to be the service.
const asService = "PROCESSTEST_AS_SERVICE"

// Main is for a package's TestMain: it runs the tests, or the service's main.
func Main(m *testing.M, service func()) {
	if os.Getenv(asService) != "" {
		service()
		return
	}
	os.Exit(m.Run())
}

// Command is the service with the given arguments and environment ("NAME=value"), not
// started. It inherits no environment.
func Command(tb testing.TB, env []string, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), self, args...)
	// With coverage on, a binary without a place for its counters says so on standard error,
	// where the tests look for what the service says.
	cmd.Env = append([]string{asService + "=1", "GOCOVERDIR=" + tb.TempDir(), "METRICS_ADDR=127.0.0.1:0"}, env...)
	return cmd
}

// Run runs the service to its end and gives its exit code and what it said.
func Run(tb testing.TB, env []string, args ...string) (code int, said string) {
	tb.Helper()
	cmd := Command(tb, env, args...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		tb.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Process is a service that listens.
type Process struct {
	Addr string // host:port

	t     testing.TB
	cmd   *exec.Cmd
	said  *log
	ended chan struct{}
}

// Start starts the service on a free port of 127.0.0.1 and returns when it listens. It is
// killed when the test ends, if it has not ended by then.
func Start(tb testing.TB, env []string, args ...string) *Process {
	tb.Helper()
	p := &Process{t: tb, said: &log{listening: make(chan string, 1)}, ended: make(chan struct{})}
	p.cmd = Command(tb, append([]string{"HTTP_ADDR=127.0.0.1:0"}, env...), args...)
	p.cmd.Stderr = p.said
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the code is in ProcessState
		close(p.ended)
	}()
	tb.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended, as it should
		<-p.ended
		if tb.Failed() {
			tb.Logf("the service said:\n%s", p.Said())
		}
	})
	select {
	case p.Addr = <-p.said.listening:
	case <-p.ended:
		tb.Fatalf("the service ended: %s", p.cmd.ProcessState)
	case <-time.After(30 * time.Second):
		tb.Fatal("the service does not listen")
	}
	return p
}

// Said is what the service wrote so far.
func (p *Process) Said() string {
	p.said.mu.Lock()
	defer p.said.mu.Unlock()
	return p.said.all.String()
}

// Ask sends a request and gives the answer's status and body.
func (p *Process) Ask(method, path, body string) (status int, answer string) {
	p.t.Helper()
	return p.ask(method, "http://"+p.Addr+path, body)
}

// Metrics is what the service tells Prometheus.
func (p *Process) Metrics() string {
	p.t.Helper()
	p.said.mu.Lock()
	addr := p.said.metrics
	p.said.mu.Unlock()
	status, told := p.ask(http.MethodGet, "http://"+addr+"/metrics", "")
	if status != http.StatusOK {
		p.t.Fatalf("/metrics: %d %s", status, told)
	}
	return told
}

func (p *Process) ask(method, url, body string) (status int, answer string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// Signal sends sig, waits for the end, and gives the exit code (-1: ended by the signal).
func (p *Process) Signal(sig syscall.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the service does not stop on %s", sig)
	}
	return p.cmd.ProcessState.ExitCode()
}

// log keeps what the service says, and finds the addresses it listens on.
type log struct {
	listening chan string

	mu      sync.Mutex
	all     bytes.Buffer
	found   bool
	metrics string // its address; said before the other
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(p)
	for line := range bytes.Lines(l.all.Bytes()) {
		var entry struct{ Msg, Addr string }
		if l.found || json.Unmarshal(line, &entry) != nil {
			continue
		}
		switch entry.Msg {
		case "serving metrics":
			l.metrics = entry.Addr
		case "listening":
			l.found = true
			l.listening <- entry.Addr
		}
	}
	return len(p), nil
}
