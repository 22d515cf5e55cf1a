//go:build linux

package debian

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The cache directory of the test that runs again as an ordinary user.
const asUser = "SLIPWAY_TEST_DEBIAN_AS_USER"

func TestOrdinaryUser(t *testing.T) {
	if cache := os.Getenv(asUser); cache != "" || os.Getuid() != 0 {
		if cache == "" {
			cache = t.TempDir()
		}
		if _, err := Unpack(t.Context(), cache, nil, "busybox-static"); err != nil {
			t.Fatal(err)
		}
		return
	}
	// "nobody", with nothing of root's in reach: a copy of this test and directories of its own.
	const nobody = 65534
	dir, err := os.MkdirTemp("", "debian-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cache := filepath.Join(dir, "cache")
	if err := os.Mkdir(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, id := range map[string]int{dir: 0, cache: nobody} {
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, id, id); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "test")
	copyProgram(t, program)
	for name, lists := range map[string]string{"system lists": "", "no lists": "Dir::State::lists \"" + dir + "/none\";\n"} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(dir, "apt.conf")
			if err := os.WriteFile(config, []byte(lists), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.run=^TestOrdinaryUser$", "-test.v")
			cmd.Dir = cache
			cmd.Env = append(os.Environ(), asUser+"="+filepath.Join(cache, strings.ReplaceAll(name, " ", "-")), "HOME="+cache, "TMPDIR="+cache, "APT_CONFIG="+config)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestOrdinaryUser") {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func copyProgram(t *testing.T, target string) {
	t.Helper()
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o755); err != nil {
		t.Fatal(err)
	}
}
