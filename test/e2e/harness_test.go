// Package e2e runs the real binary as a person at a terminal does, on repositories made
// for the purpose, and looks at what that person sees: output, exit code, files, registry.
//
// The embedded engine keeps its state in a cache of the tests' own, which later runs
// use again. The first run compiles golangci-lint in it, which takes minutes.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"slipway/engine/embedded"
	"slipway/test/cachedir"
	"slipway/test/child"
)

var (
	binary string   // cmd/slipway, compiled by TestMain
	home   string   // slipway's own source
	cache  string   // SLIPWAY_CACHE of all calls that do not set their own
	hostGo []string // how Go reaches modules on this machine, whatever HOME says
)

func TestMain(m *testing.M) {
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (code int, err error) {
	_, file, _, _ := runtime.Caller(0)
	home = filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if cache, err = cachedir.Path("e2e"); err != nil {
		return 1, err
	}
	if _, err := os.Stat(filepath.Join(cache, "buildkit", "warm")); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the engine's cache is cold: golangci-lint and the standard library are compiled first, which takes minutes on a small machine")
	}
	bin, err := os.MkdirTemp("", "slipway-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	binary = filepath.Join(bin, "slipway")
	build := exec.Command("go", "build", "-o", binary, "./cmd/slipway")
	build.Dir = home
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("compiling cmd/slipway: %w\n%s", err, out)
	}
	if hostGo, err = goSettings(); err != nil {
		return 1, err
	}
	// The engine is shared with other runs of these tests; the last one stops it.
	users := flock.New(filepath.Join(cache, "tests.lock"))
	if err := users.RLock(); err != nil {
		return 1, err
	}
	code = m.Run()
	_ = users.Close()
	if last, err := users.TryLock(); err != nil || !last {
		return code, err
	}
	defer func() { _ = users.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return code, embedded.Stop(ctx, cache)
}

// goSettings are read here since they may be in a file below HOME, which calls do not have.
func goSettings() ([]string, error) {
	names := []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOCACHE", "GOMODCACHE", "GOFLAGS"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(string(out), "\n")
	var env []string
	for i, name := range names {
		if values[i] != "" {
			env = append(env, name+"="+values[i])
		}
	}
	return env, nil
}

// call is one use of the binary, yet to be made: where, and with which variables beside
// the usual ones (a later one wins; "NAME=" unsets). Nothing of the caller's own REGISTRY,
// CI, DOCKER and SLIPWAY variables reaches it, and HOME is empty.
type call struct {
	dir string
	env []string
}

// in makes a call in a directory.
func in(dir string, env ...string) call { return call{dir: dir, env: env} }

// with adds variables.
func (c call) with(env ...string) call {
	return call{dir: c.dir, env: append(c.env[:len(c.env):len(c.env)], env...)}
}

// command prepares the process; it dies with the test and leads a process group.
func (c call) command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = c.dir
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch prefix, _, _ := strings.Cut(name, "_"); prefix {
		case "REGISTRY", "CI", "GITLAB", "GITHUB", "NOTIFY", "DOCKER", "SLIPWAY", "GIT", "XDG", "NETRC", "GO111MODULE", "GOENV":
		default:
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, hostGo...)
	cmd.Env = append(cmd.Env, "HOME="+t.TempDir(), "SLIPWAY_HOME="+home, "SLIPWAY_CACHE="+cache, "SLIPWAY_ENGINE=embedded", "SLIPWAY_PROGRESS=plain")
	cmd.Env = append(cmd.Env, c.env...)
	return cmd
}

// slipway runs the binary to its end.
func (c call) slipway(t testing.TB, args ...string) result {
	t.Helper()
	return c.start(t, args...).wait(t)
}

// start starts the binary.
func (c call) start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{cmd: c.command(t, args...), args: args}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	started, err := child.Start(p.cmd, nil)
	if err != nil {
		t.Fatalf("starting slipway: %v", err)
	}
	p.done = started.Done
	t.Cleanup(started.KillGroup)
	return p
}

// process is a running slipway.
type process struct {
	cmd            *exec.Cmd
	args           []string
	stdout, stderr child.Buffer
	done           chan struct{}
}

// limit bounds one call: more than a cold cache on a slow machine needs.
const limit = 15 * time.Minute

func (p *process) wait(t testing.TB) result {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatalf("slipway %s did not end in %s:\n%s", strings.Join(p.args, " "), limit, p.stderr.String())
	}
	return result{args: p.args, stdout: p.stdout.String(), stderr: p.stderr.String(), code: p.cmd.ProcessState.ExitCode()}
}

// result is what a call left on the terminal.
type result struct {
	args           []string
	stdout, stderr string
	code           int // -1 where a signal ended it
}

// exits ends the test unless the exit code is this one.
func (r result) exits(t testing.TB, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("slipway %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(r.args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read is a file's content; it must be there.
func read(t testing.TB, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	must(t, err)
	return string(data)
}

// eventually waits for a condition of the outside world.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}
