package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/engine/debian"
	"slipway/progress"
	"slipway/test/aptget"
)

// asUser is set where the tests run again as an ordinary user.
const asUser = "SLIPWAY_TEST_AS_USER"

// ordinary is a user without root, with all that a test needs in reach: root's own
// directories may be closed to it.
type ordinary struct {
	name, dir string
	uid, gid  int
}

// newUser adds a user, by useradd with more options, and removes it after the test with
// what it runs and has.
func newUser(t *testing.T, more ...string) ordinary {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test adds a user to the machine: run it as root")
	}
	aptget.Need(t, "newuidmap", "uidmap")
	dir, err := os.MkdirTemp("", "slipway-user-") // t.TempDir's parent is closed to others
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	u := ordinary{name: fmt.Sprintf("slipway-%d", os.Getpid()), dir: dir}
	t.Cleanup(func() {
		for _, pid := range u.processes(t) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		eventually(t, "the user's processes end", func() bool { return len(u.processes(t)) == 0 })
		systemCommand(t, "userdel", u.name)
		must(t, os.RemoveAll(dir))
	})
	systemCommand(t, "useradd", append(more, "--home-dir", filepath.Join(dir, "home"), "--create-home", u.name)...)
	entry, err := user.Lookup(u.name)
	must(t, err)
	u.uid, err = strconv.Atoi(entry.Uid)
	must(t, err)
	u.gid, err = strconv.Atoi(entry.Gid)
	must(t, err)
	u.furnish(t)
	return u
}

// furnish copies what the tests read: this program, the server compiled and as source, and
// Debian's packages, which are then the user's.
func (u ordinary) furnish(t *testing.T) {
	t.Helper()
	server, _, err := compile(t.Context(), filepath.Join(sharedCache, "bin"), serverSource, progress.Plain(os.Stderr, 5*time.Second))
	must(t, err)
	_, err = debian.Unpack(t.Context(), sharedCache, progress.Discard(), "busybox-static")
	must(t, err)
	for _, dir := range []string{"engine/embedded", "tools", "home/cache/bin"} {
		must(t, os.MkdirAll(filepath.Join(u.dir, dir), 0o755))
	}
	program, err := os.Executable()
	must(t, err)
	for from, to := range map[string]string{
		program:                              "test",
		serverSource:                         "tools/",
		server:                               "home/cache/bin/",
		filepath.Join(sharedCache, "debian"): "home/cache/",
	} {
		systemCommand(t, "cp", "--recursive", "--dereference", from, filepath.Join(u.dir, to))
	}
	systemCommand(t, "chmod", "-R", "a+rX", u.dir)
	systemCommand(t, "chown", "-R", fmt.Sprintf("%d:%d", u.uid, u.gid), filepath.Join(u.dir, "home"))
}

// run runs this package's tests of a pattern as the user, and returns what they print.
func (u ordinary) run(t *testing.T, pattern string) string { return u.runAfter(t, ":", pattern) }

// runAfter does so after a shell command of root's, in a mount namespace of its own.
func (u ordinary) runAfter(t *testing.T, before, pattern string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	home := filepath.Join(u.dir, "home")
	id := strconv.Itoa(u.uid)
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "sh", "-c", before+` && exec "$@"`, "sh",
		"setpriv", "--reuid="+id, "--regid="+strconv.Itoa(u.gid), "--clear-groups",
		"env", "--ignore-environment", asUser+"=1", "PATH=/usr/bin:/bin", "HOME="+home, "SLIPWAY_TEST_CACHE="+filepath.Join(home, "cache"), "TMPDIR="+home,
		filepath.Join(u.dir, "test"), "-test.v", "-test.run="+pattern)
	cmd.Dir = filepath.Join(u.dir, "engine", "embedded")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: ") {
		t.Fatalf("as the user %s: %v\n%s", u.name, err, out)
	}
	return string(out)
}

// processes are the user's and those of the ids it may give away.
func (u ordinary) processes(t *testing.T) (pids []int) {
	t.Helper()
	data, err := os.ReadFile("/etc/subuid")
	must(t, err)
	var first, count int
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, u.name+":"); ok {
			_, err := fmt.Sscanf(rest, "%d:%d", &first, &count)
			must(t, err)
		}
	}
	found, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range found {
		info, err := os.Stat(path)
		if err != nil {
			continue // it has ended
		}
		owner := int(info.Sys().(*syscall.Stat_t).Uid)
		pid, err := strconv.Atoi(filepath.Base(path))
		if err == nil && (owner == u.uid || owner >= first && owner < first+count) && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func systemCommand(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
