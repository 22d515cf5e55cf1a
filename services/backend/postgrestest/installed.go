package postgrestest

import (
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// installed finds the directory of PostgreSQL's programs and the user to run them as, which
// is not root: PostgreSQL refuses that. It skips the test where there is none.
func installed(tb testing.TB) (bin string, asUser *syscall.Credential) {
	tb.Helper()
	bin = programs()
	if bin == "" {
		tb.Skip("no PostgreSQL server on this machine: neither initdb on PATH nor /usr/lib/postgresql/*/bin (Debian: apt-get install postgresql); or name one in TEST_POSTGRES")
	}
	if os.Geteuid() != 0 {
		return bin, nil
	}
	account, err := osuser.Lookup(user)
	if err != nil {
		tb.Skipf("no PostgreSQL server on this machine that can be started: it refuses to run as root, and %v", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		tb.Fatal(err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		tb.Fatal(err)
	}
	return bin, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func programs() string {
	// Debian keeps the server off PATH; the last directory is the newest version.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if onPath, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(onPath)
	}
	return ""
}
