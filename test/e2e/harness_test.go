// Package e2e runs the real binary as a person at a terminal does, on repositories made
// for the purpose, and looks at what that person sees: output, exit code, files, registry.
//
// The embedded engine keeps its state in a cache of the tests' own, which later runs
// use again. The first run compiles golangci-lint in it, which takes minutes.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"slipway/test/slipwaycmd"
)

var (
	binary string // cmd/slipway, compiled by TestMain
	home   string // slipway's own source
	cache  string // SLIPWAY_CACHE of all calls that do not set their own
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
	// The engine is shared with other runs of these tests; the last one stops it.
	kept, err := slipwaycmd.OpenCache("e2e", "")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	cache = kept.Dir
	if _, err := os.Stat(filepath.Join(cache, "buildkit", "warm")); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the engine's cache is cold: golangci-lint and the standard library are compiled first, which takes minutes on a small machine")
	}
	compiled, err := slipwaycmd.Compile()
	if err != nil {
		return 1, err
	}
	defer compiled.Remove()
	binary, home = compiled.Path, compiled.Home
	return m.Run(), nil
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
	cmd.Env = append(slipwaycmd.Environment(t), "SLIPWAY_HOME="+home, "SLIPWAY_CACHE="+cache, "SLIPWAY_ENGINE=embedded", "SLIPWAY_PROGRESS=plain")
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
	return &process{slipwaycmd.Launch(t, c.command(t, args...))}
}

// process is a running slipway.
type process struct{ *slipwaycmd.Process }

// limit bounds one call: more than a cold cache on a slow machine needs.
const limit = 15 * time.Minute

func (p *process) wait(t testing.TB) result {
	t.Helper()
	return p.Wait(t, limit)
}

// result is what a call left on the terminal.
type result = slipwaycmd.Result

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
