package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// otherwise ends an error that keeps the engine from running without root.
const otherwise = "or run as root, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit (tcp://host:1234)"

// rootlessReady says what this machine lacks for a server without root, which becomes root
// of a user namespace: before a compile of minutes, and not after it.
func rootlessReady(ctx context.Context) error {
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("the embedded engine needs your user's name to look up its subordinate ids: %w; %s", err, otherwise)
	}
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("the embedded engine needs %s to run without root, and there is none on PATH; install it (apt-get install uidmap), %s", program, otherwise)
		}
	}
	for _, kind := range []subordinates{
		{file: "/etc/subuid", what: "user", option: "--add-subuids"},
		{file: "/etc/subgid", what: "group", option: "--add-subgids", flags: []string{"-g"}},
	} {
		if err := kind.check(ctx, me); err != nil {
			return err
		}
	}
	return namespacesAllowed("/proc/sys", cloneUser)
}

// cloneUser makes a user namespace and leaves it. The program only has to be startable.
func cloneUser() error {
	cmd := exec.Command("newuidmap")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = cmd.Wait() // it misses its arguments
	return nil
}

// namespacesAllowed tries to make a user namespace by clone, and where that fails names the
// setting below sysctl (/proc/sys) that forbids it.
func namespacesAllowed(sysctl string, clone func() error) error {
	err := clone()
	if err == nil {
		return nil
	}
	const forbidden = "the embedded engine needs a user namespace to run without root, and this machine's kernel makes none (%w): "
	for _, s := range []struct{ name, bad, good string }{
		{"user.max_user_namespaces", "0", "28633"}, // as BuildKit's docs/rootless.md has it
		{"kernel.unprivileged_userns_clone", "0", "1"},
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
	} {
		data, _ := os.ReadFile(sysctl + "/" + strings.ReplaceAll(s.name, ".", "/"))
		if strings.TrimSpace(string(data)) == s.bad {
			return fmt.Errorf(forbidden+"%s is %s; as root: sysctl -w %s=%s, %s", err, s.name, s.bad, s.name, s.good, otherwise)
		}
	}
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf(forbidden+"a security policy forbids it; in a container, start that with --security-opt seccomp=unconfined --security-opt systempaths=unconfined, %s", err, otherwise)
	}
	return fmt.Errorf(forbidden+"see sysctl user.max_user_namespaces, %s", err, otherwise)
}

// explainRootless adds what to do where a server without root could not begin.
func explainRootless(err error, sysctl string) error {
	if err == nil {
		return nil
	}
	const setting = "kernel.apparmor_restrict_unprivileged_userns"
	data, _ := os.ReadFile(sysctl + "/" + strings.ReplaceAll(setting, ".", "/"))
	if strings.TrimSpace(string(data)) == "1" {
		return fmt.Errorf("%w\nIt ran without root, which %s=1 may forbid; as root: sysctl -w %s=0, %s", err, setting, setting, otherwise)
	}
	return err
}
