package embedded

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What holds for root's server holds for a user's, in a user namespace: these tests run
// again as a user that exists for this test alone.
func TestWithoutRoot(t *testing.T) {
	u := newUser(t)
	out := u.run(t, "^(TestBuildsFilesAndRunsCommands|TestFailingCommandSaysItsExitCode|TestFilesKeepTheirOwners"+
		"|TestNothingOfAKilledServerStays|TestStopEndsABuildAndItsContainer|TestCancelledBuildEndsItsContainer"+
		"|TestAnyKilledProcessEndsTheServer|TestConcurrentCommandsShareOneServer|TestServerIsApartFromTheCommand"+
		"|TestServerStopsWhenIdleAndStartsAgain|TestStartsThatMeetAStoppingServer|TestLongCacheDirectory"+
		"|TestEarlyDeathShowsTheLog|TestDockerfileOnAMirroredBase|TestPushesToALoopbackRegistry)$")
	if passed := len(regexp.MustCompile(`(?m)^--- PASS: `).FindAllString(out, -1)); passed != 15 {
		t.Errorf("%d tests passed, want 15:\n%s", passed, out)
	}
	if digest := "image " + buildOwning(t); len(digest) < len("image sha256:") || !strings.Contains(out, digest) {
		t.Errorf("root's image is %q; the user's is another:\n%s", digest, out)
	}
	if left := u.processes(t); len(left) > 0 {
		t.Errorf("the user's servers left processes: %v", left)
	}
}

// Each thing that is missing is said before the minutes of a compile.
func TestUserWithoutRangeIsTold(t *testing.T) {
	if os.Getenv(asUser) != "" {
		_, err := Start(t.Context(), Options{CacheDir: t.TempDir(), ServerSource: serverSource})
		t.Logf("it says: %v", err)
		return
	}
	u := newUser(t, "--key", "SUB_UID_COUNT=0", "--key", "SUB_GID_COUNT=0")
	out := u.run(t, "^TestUserWithoutRangeIsTold$")
	if !regexp.MustCompile(`: the embedded engine needs 65536 subordinate user ids to run without root, and /etc/subuid gives none to ` +
		u.name + `; as root: usermod --add-subuids \d+-\d+ ` + u.name + `, or run as root, or set SLIPWAY_ENGINE to docker`).MatchString(out) {
		t.Errorf("it says:\n%s", out)
	}
}

// Containers hide parts of /proc, and then Linux gives a user's namespace no /proc at all.
func TestHiddenProcIsTold(t *testing.T) {
	if os.Getenv(asUser) != "" {
		_, err := Start(t.Context(), options(t))
		wantError(t, err, "starting the embedded engine: it ended at once (exit status 1)", "without root a /proc of its own cannot be mounted here, "+
			"where parts of /proc are hidden, as in a container; start that with --security-opt systempaths=unconfined, or run as root")
		return
	}
	newUser(t).runAfter(t, "mount --bind /dev/null /proc/version", "^TestHiddenProcIsTold$")
}

func TestMissingNewuidmapIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	wantWhole(t, rootlessReady(t.Context()), "the embedded engine needs newuidmap to run without root, and there is none on PATH; "+
		"install it (apt-get install uidmap), or run as root, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit (tcp://host:1234)")
}

func TestRangesOfSubordinateIDs(t *testing.T) {
	ann := &user.User{Username: "ann", Uid: "1000"}
	for text, want := range map[string][2]int{
		"":                    {0, 100000},
		"ann:100000:65536\n":  {65536, 165536},
		"1000:100000:65536\n": {65536, 165536},
		"bob:100000:65536\nann:200000:1000\n1000:300000:64536\n": {65536, 364536},
		"anna:100000:65536":                     {0, 165536},
		"ann:x:65536\nann:1\nann:100000:-5\n\n": {0, 100000},
	} {
		if has, free := ranges(text, ann); has != want[0] || free != want[1] {
			t.Errorf("%q: %d ids, free from %d; want %v", text, has, free, want)
		}
	}
	group := subordinates{file: "/etc/subgid", what: "group", option: "--add-subgids"}
	wantWhole(t, group.tooFew(1000, 165536, ann), "the embedded engine needs 65536 subordinate group ids to run without root, and /etc/subgid gives 1000 to ann; "+
		"as root: usermod --add-subgids 165536-231071 ann, or run as root, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit (tcp://host:1234)")
}

func TestForbiddenNamespacesNameTheSetting(t *testing.T) {
	const begin = "the embedded engine needs a user namespace to run without root, and this machine's kernel makes none "
	const end = ", or run as root, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit (tcp://host:1234)"
	for name, c := range map[string]struct {
		setting, value string
		err            error
		want           string
	}{
		"none left":   {"user/max_user_namespaces", "0\n", unix.ENOSPC, "(no space left on device): user.max_user_namespaces is 0; as root: sysctl -w user.max_user_namespaces=28633"},
		"old Debian":  {"kernel/unprivileged_userns_clone", "0\n", unix.EPERM, "(operation not permitted): kernel.unprivileged_userns_clone is 0; as root: sysctl -w kernel.unprivileged_userns_clone=1"},
		"Ubuntu":      {"kernel/apparmor_restrict_unprivileged_userns", "1\n", unix.EACCES, "(permission denied): kernel.apparmor_restrict_unprivileged_userns is 1; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		"a container": {"user/max_user_namespaces", "9\n", unix.EPERM, "(operation not permitted): a security policy forbids it; in a container, start that with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"},
		"used up":     {"user/max_user_namespaces", "9\n", unix.ENOSPC, "(no space left on device): see sysctl user.max_user_namespaces"},
	} {
		t.Run(name, func(t *testing.T) {
			sysctl := settings(t, c.setting, c.value)
			wantWhole(t, namespacesAllowed(sysctl, func() error { return c.err }), begin+c.want+end)
			if err := namespacesAllowed(sysctl, func() error { return nil }); err != nil {
				t.Errorf("where it works it says %v", err)
			}
		})
	}
}

// Where AppArmor lets a namespace be made and nothing be done in it, the server's own error
// is all there is.
func TestRestrictedNamespaceIsExplained(t *testing.T) {
	restricted := settings(t, "kernel/apparmor_restrict_unprivileged_userns", "1\n")
	failed := errors.New("it ended at once")
	wantWhole(t, explainRootless(failed, restricted), "it ended at once\nIt ran without root, which kernel.apparmor_restrict_unprivileged_userns=1 may forbid; "+
		"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit (tcp://host:1234)")
	wantWhole(t, explainRootless(failed, t.TempDir()), "it ended at once")
}

// settings is a /proc/sys with one setting in it.
func settings(t *testing.T, name, value string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(value), 0o644))
	return dir
}

func wantWhole(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}
