package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"golang.org/x/sys/unix"
)

func TestConcurrentCommandsShareOneServer(t *testing.T) {
	o := options(t)
	servers := make([]*Server, 4)
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], errs[i] = Start(t.Context(), o) })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	for _, s := range servers {
		if s.PID != servers[0].PID || s.PID == 0 {
			t.Errorf("process %d and process %d", servers[0].PID, s.PID)
		}
	}
	for _, s := range servers[1:] {
		must(t, s.Close())
	}
	// The first one's server is not the others' to take away.
	_, err := connect(t, servers[0]).Info(t.Context())
	must(t, err)
	must(t, servers[0].Close())
}

// Whoever can open the socket runs commands as this user, and the state has what was built.
func TestTheSocketAndTheStateAreTheUsersAlone(t *testing.T) {
	o := options(t)
	old := unix.Umask(0) // a machine where everybody may do everything unless told otherwise
	defer unix.Umask(old)
	s := started(t, o)
	socket := strings.TrimPrefix(s.Addr, "unix://")
	for file, want := range map[string]os.FileMode{
		socket: os.ModeSocket | 0o600, filepath.Dir(socket): os.ModeDir | 0o700, filepath.Join(o.CacheDir, "buildkit"): os.ModeDir | 0o700,
	} {
		info, err := os.Lstat(file)
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%s is %v, want %v", file, info.Mode(), want)
		}
	}
}

// It outlives the command: the terminal's Ctrl-C does not reach it, and it keeps none of
// the command's secrets.
func TestServerIsApartFromTheCommand(t *testing.T) {
	t.Setenv("CI_JOB_TOKEN", "hush")
	t.Setenv("https_proxy", "http://proxy.invalid:1")
	s := started(t, options(t))
	session, err := unix.Getsid(s.PID)
	must(t, err)
	if session != s.PID {
		t.Errorf("it is in session %d and not in its own", session)
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.PID))
	must(t, err)
	if strings.Contains(string(env), "hush") || !strings.Contains(string(env), "https_proxy=http://proxy.invalid:1") {
		t.Errorf("its environment: %q", env)
	}
}

func TestServerStopsWhenIdleAndStartsAgain(t *testing.T) {
	o := options(t)
	o.Idle = 300 * time.Millisecond
	first := started(t, o)
	c, err := client.New(t.Context(), first.Addr)
	must(t, err)
	_, err = c.Info(t.Context())
	must(t, err)
	must(t, c.Close())

	// A command that holds it, without any connection, keeps it.
	time.Sleep(3 * o.Idle) // the time itself is what is tested
	if !alive(first.PID) {
		t.Fatal("the server stopped while a command held it")
	}
	must(t, first.Close())
	eventually(t, "the idle server stops", func() bool { return !alive(first.PID) })
	if _, err := os.Stat(strings.TrimPrefix(first.Addr, "unix://")); !os.IsNotExist(err) {
		t.Errorf("its socket: %v, want none", err)
	}

	second := started(t, o)
	if second.PID == first.PID {
		t.Fatal("the stopped server is said to run")
	}
	_, err = solve(t.Context(), t, connect(t, second), llb.Scratch().File(llb.Mkfile("/a", 0o644, nil)), nil)
	must(t, err)
}

// A connection alone, such as that of a build whose command was not started by this
// package, keeps the server as well.
func TestConnectionKeepsTheServer(t *testing.T) {
	o := options(t)
	o.Idle = 300 * time.Millisecond
	s := started(t, o)
	c := connect(t, s)
	_, err := c.Info(t.Context())
	must(t, err)
	must(t, s.Close())
	time.Sleep(3 * o.Idle)
	if !alive(s.PID) {
		t.Fatal("the server stopped while a client was connected")
	}
	must(t, c.Close())
	eventually(t, "the idle server stops", func() bool { return !alive(s.PID) })
}

// Commands that come and go around the moment at which the server stops each get one that
// answers, and keeps answering.
func TestStartsThatMeetAStoppingServer(t *testing.T) {
	o := options(t)
	o.Idle = 20 * time.Millisecond
	pids := map[int]bool{}
	for i := range 12 {
		s, err := Start(t.Context(), o)
		must(t, err)
		pids[s.PID] = true
		c, err := client.New(t.Context(), s.Addr)
		must(t, err)
		_, err = c.Info(t.Context())
		must(t, err)
		must(t, errors.Join(c.Close(), s.Close()))
		time.Sleep(time.Duration(i) * 5 * time.Millisecond) // sweeps across the stop
	}
	if len(pids) < 2 {
		t.Error("the server never stopped, so nothing was tested")
	}
}

func TestServerOfAnotherVersion(t *testing.T) {
	o := options(t)
	old := started(t, o)

	newer := o
	newer.ServerSource = changedSource(t)
	used := started(t, newer)
	if used.PID != old.PID {
		t.Error("a server that another command uses was replaced")
	}
	must(t, used.Close())
	must(t, old.Close())

	replaced := started(t, newer)
	if replaced.PID == old.PID || alive(old.PID) {
		t.Errorf("an unused server of another version (process %d) was kept (process %d)", old.PID, replaced.PID)
	}
}

// changedSource is a copy of the server's source with one byte more.
func changedSource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := os.ReadDir(serverSource)
	must(t, err)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(serverSource, f.Name()))
		must(t, err)
		if f.Name() == "main.go" {
			data = append(data, '\n')
		}
		must(t, os.WriteFile(filepath.Join(dir, f.Name()), data, 0o644))
	}
	return dir
}

func TestStartEndsWithItsContext(t *testing.T) {
	o := options(t)
	must(t, os.MkdirAll(filepath.Join(o.CacheDir, "buildkit"), 0o700))
	_ = started(t, o)
	l, err := newLayout(o.CacheDir)
	must(t, err)
	unlock := lockFile(t, l.file(startName))
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = Start(ctx, o)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another command") {
		t.Fatalf("got %v", err)
	}
}
