package e2e

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/containerd/console"

	"slipway/test/child"
)

// shell repeats the run with -shell=true on a terminal, types a line once the shell asks, wants
// its answer, types the end, and gives all that was on the screen.
func (s *second) shell(t *testing.T, env []string, types, answer, end string) string {
	t.Helper()
	s.tmp = t.TempDir()
	before := tree(t, s.clone.Dir)
	terminal, slave, err := console.NewPty()
	must(t, err)
	must(t, terminal.Resize(console.WinSize{Height: 40, Width: 133}))
	side, err := os.OpenFile(slave, os.O_RDWR, 0)
	must(t, err)
	cmd := in(s.clone.Dir, append([]string{"TMPDIR=" + s.tmp, "TERM=xterm"}, env...)...).command(t, "ci:repro", s.record, "-shell=true")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	must(t, cmd.Start())
	must(t, side.Close())
	var screen child.Buffer
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&screen, terminal) // until the other side is closed
		close(read)
	}()
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its exit code says it
		close(ended)
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen had\n%s", screen.String())
		}
	})
	waits := func(what, text string) {
		t.Helper()
		eventually(t, what, func() bool {
			select {
			case <-ended:
				t.Fatalf("it has ended before %s:\n%s", what, screen.String())
			default:
			}
			return strings.Contains(shown(&screen), text)
		})
	}
	say := func(line string) {
		_, err := io.WriteString(terminal, line)
		must(t, err)
	}
	waits("the shell asks", " # ")
	say(types)
	waits("it answers "+types, "\n"+answer)
	say("stty size\n")
	waits("the shell has the terminal's size", "40 133")
	say(end)
	<-ended
	<-read
	must(t, terminal.Close())
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, screen.String())
	}
	s.clean(t, before)
	return shown(&screen)
}

// shown is what a terminal was sent, with plain line ends.
func shown(screen *child.Buffer) string { return strings.ReplaceAll(screen.String(), "\r", "") }

const leavingTest = `package main

import (
	"os"
	"testing"
)

func TestLeave(t *testing.T) {
	for _, name := range []string{"/tmp/left", "left.txt"} {
		if err := os.WriteFile(name, []byte("left by the test in "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("look at what I left")
}
`

// What the failed test wrote is there: beside its sources, and elsewhere.
func TestAShellOpensInTheFailedStep(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("services/alpha/leave_test.go", leavingTest)
	r.Commit("Leave files", later(1))
	in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, 1)
	s := second{clone: r.Clone(t)}
	s.take(t, r, "run.json")
	screen := s.shell(t, nil, "cat /tmp/left; cat alpha/left.txt; cat /out/exit\n", "left by the test in /tmp/left\nleft by the test in left.txt\n1\n", "exit 5\n")
	for _, want := range []string{`a shell in what "test alpha" left, in /src/services; its output is in /out`, "The failure is reproduced."} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
}

// Without a terminal the shell takes commands from standard input.
func TestAShellTakesAScript(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("services/alpha/leave_test.go", leavingTest)
	r.Commit("Leave files", later(1))
	in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, 1)
	cmd := in(r.Dir).command(t, "ci:repro", "build/run.json", "-shell=true")
	cmd.Stdin = strings.NewReader("cat /tmp/left\n")
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "left by the test in /tmp/left\n") {
		stderr := ""
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // it is what Output gives
			stderr = string(exit.Stderr)
		}
		t.Errorf("%v: stdout is\n%s\nstderr is\n%s", err, out, stderr)
	}
}
