// Package ci holds the files that CI systems read against the rules that they call, and runs
// their jobs for real: GitLab's with gitlab-ci-local, GitHub's line by line.
package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	home   string   // slipway's own source
	cache  string   // SLIPWAY_CACHE, that of the tests in test/e2e: the linter is compiled there once
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
	names := []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOCACHE", "GOMODCACHE", "GOFLAGS"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return 1, fmt.Errorf("go env: %w", err)
	}
	for i, v := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		if v != "" {
			hostGo = append(hostGo, names[i]+"="+v)
		}
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
	return code, errors.Join(embedded.Stop(ctx, cache), removeCompiled())
}

// removeCompiled removes the binaries that mage's targets compiled, one for each version of the
// source, or they would pile up in the tests' cache.
func removeCompiled() error {
	found, err := filepath.Glob(filepath.Join(cache, "bin", "slipway-*"))
	for _, f := range found {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// limit bounds one command: more than a cold cache on a slow machine needs.
const limit = 40 * time.Minute

// run runs a command to its end, which comes with the test's at the latest.
func run(t testing.TB, cmd *exec.Cmd) (stdout, all string, code int) {
	t.Helper()
	var out bytes.Buffer
	var both child.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, &both), &both
	cmd.WaitDelay = 5 * time.Second
	p, err := child.Start(cmd, nil)
	must(t, err)
	t.Cleanup(p.KillGroup)
	timer := time.AfterFunc(limit, p.KillGroup)
	defer timer.Stop()
	<-p.Done
	err = p.Err
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return out.String(), both.String(), cmd.ProcessState.ExitCode()
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

func write(t testing.TB, file, content string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(content), 0o644))
}
