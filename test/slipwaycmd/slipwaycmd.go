// Package slipwaycmd runs the slipway binary in tests as a person at a terminal does, and tells
// what that person sees.
package slipwaycmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"slipway/test/child"
)

// Binary is slipway, compiled from this source.
type Binary struct {
	Path string
	Home string // slipway's own source
	dir  string
}

// Compile makes the binary for a TestMain, which removes it in the end.
func Compile() (*Binary, error) {
	_, file, _, _ := runtime.Caller(0)
	b := &Binary{Home: filepath.Dir(filepath.Dir(filepath.Dir(file)))}
	var err error
	if b.dir, err = os.MkdirTemp("", "slipway-binary-"); err != nil {
		return nil, err
	}
	b.Path = filepath.Join(b.dir, "slipway")
	build := exec.Command("go", "build", "-o", b.Path, "./cmd/slipway")
	build.Dir = b.Home
	if out, err := build.CombinedOutput(); err != nil {
		b.Remove()
		return nil, fmt.Errorf("compiling cmd/slipway: %w\n%s", err, out)
	}
	return b, nil
}

// Remove removes it.
func (b *Binary) Remove() { _ = os.RemoveAll(b.dir) }

// Start starts it in a directory with these variables and none of the caller's own settings
// (see Environment). It dies with the test.
func (b *Binary) Start(t testing.TB, dir string, env []string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(b.Path, args...)
	cmd.Dir = dir
	cmd.Env = append(Environment(t), append([]string{"SLIPWAY_HOME=" + b.Home, "SLIPWAY_PROGRESS=plain"}, env...)...)
	return Launch(t, cmd)
}

// Launch starts slipway as a command has it. It dies with the test, and leads a process group.
func Launch(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Args: cmd.Args[1:], Cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.Stdout, &p.Stderr
	c, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatalf("starting slipway: %v", err)
	}
	p.Done = c.Done
	t.Cleanup(c.KillGroup)
	return p
}

// Process is a running slipway.
type Process struct {
	Cmd            *exec.Cmd
	Args           []string
	Stdout, Stderr child.Buffer
	Done           chan struct{} // closed when it is over
}

// Ended tells whether it is over.
func (p *Process) Ended() bool {
	select {
	case <-p.Done:
		return true
	default:
		return false
	}
}

// Wait waits for its end, no longer than limit.
func (p *Process) Wait(t testing.TB, limit time.Duration) Result {
	t.Helper()
	select {
	case <-p.Done:
	case <-time.After(limit):
		t.Fatalf("slipway %s did not end within %s:\n%s", strings.Join(p.Args, " "), limit, p.Stderr.String())
	}
	return Result{Args: p.Args, Stdout: p.Stdout.String(), Stderr: p.Stderr.String(), Code: p.Cmd.ProcessState.ExitCode()}
}

// Result is what a call left on the terminal.
type Result struct {
	Args           []string
	Stdout, Stderr string
	Code           int // -1 where a signal ended it
}

// Exits ends the test unless the exit code is this one.
func (r Result) Exits(t testing.TB, code int) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("slipway %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(r.Args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// Says wants each of these parts in what was written.
func (r Result) Says(t testing.TB, parts ...string) Result {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.Stdout+r.Stderr, p) {
			t.Errorf("slipway %s does not say %q\nstdout:\n%s\nstderr:\n%s", strings.Join(r.Args, " "), p, r.Stdout, r.Stderr)
		}
	}
	return r
}

// Prints wants each of these parts on stdout.
func (r Result) Prints(t testing.TB, parts ...string) Result {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.Stdout, p) {
			t.Errorf("slipway %s does not print %q\nstdout:\n%s\nstderr:\n%s", strings.Join(r.Args, " "), p, r.Stdout, r.Stderr)
		}
	}
	return r
}
