// Package aptget installs what the test bed needs from the machine's own Debian sources.
package aptget

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"slipway/test/cachedir"
)

// Need makes sure that command is on PATH, installing pkg where it is not. The package's
// services are not started. It needs root for that, and says so.
func Need(t testing.TB, command, pkg string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	began := time.Now()
	installed, err := Ensure(ctx, command, pkg)
	if err != nil {
		t.Fatal(err)
	}
	if installed {
		t.Logf("installed %s in %s", pkg, time.Since(began).Round(100*time.Millisecond))
	}
}

// Ensure is Need for callers without a test; installed says whether it had to do anything.
func Ensure(ctx context.Context, command, pkg string) (installed bool, err error) {
	if _, err := exec.LookPath(command); err == nil {
		return false, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return false, fmt.Errorf("the tests need %s, and this machine has no apt-get to install it: run them on Debian, or install %s yourself", command, pkg)
	}
	if os.Geteuid() != 0 {
		return false, fmt.Errorf("the tests need %s: run apt-get install %s as root, or run the tests as root", command, pkg)
	}
	unlock, err := cachedir.Lock(ctx, "apt-get")
	if err != nil {
		return false, err
	}
	defer unlock()
	if _, err := exec.LookPath(command); err == nil {
		return false, nil // another test process was first
	}
	if err := install(ctx, pkg); err != nil {
		return false, err
	}
	if _, err := exec.LookPath(command); err != nil {
		return true, fmt.Errorf("package %s is installed, but %s is still not on PATH", pkg, command)
	}
	return true, nil
}

func install(ctx context.Context, pkg string) error {
	release, err := forbidServices()
	if err != nil {
		return err
	}
	defer release()
	if _, err := run(ctx, "install", pkg); err == nil {
		return nil
	}
	// A fresh machine often has no package lists, or lists that name versions since replaced.
	if err := update(ctx); err != nil {
		return err
	}
	if out, err := run(ctx, "install", pkg); err != nil {
		return fmt.Errorf("installing %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Update fetches the package lists anew.
func Update(ctx context.Context) error {
	unlock, err := cachedir.Lock(ctx, "apt-get")
	if err != nil {
		return err
	}
	defer unlock()
	return update(ctx)
}

func update(ctx context.Context) error {
	if out, err := run(ctx, "update"); err != nil {
		return fmt.Errorf("fetching Debian's package lists: %w; check the network and /etc/apt\n%s", err, out)
	}
	return nil
}

func run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{
		"-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-unsafe-io",
	}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// policyFile is what a package's maintainer scripts ask before they start a service:
// https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt, exit code 101.
const policyFile = "/usr/sbin/policy-rc.d"

const ourPolicy = "#!/bin/sh\n# Put here while the tests of slipway install packages.\nexit 101\n"

// forbidServices puts a policy in place for as long as the installation takes. A policy
// that is there already is the machine owner's, and moves aside meanwhile; ours, left by a
// test that was killed, does not.
func forbidServices() (release func(), err error) {
	aside := policyFile + ".slipway-aside"
	if found, err := os.ReadFile(policyFile); err == nil && string(found) != ourPolicy {
		if err := os.Rename(policyFile, aside); err != nil {
			return nil, fmt.Errorf("forbidding services to start while packages are installed: %w", err)
		}
	}
	if err := os.WriteFile(policyFile, []byte(ourPolicy), 0o755); err != nil {
		return nil, fmt.Errorf("forbidding services to start while packages are installed: %w", err)
	}
	return func() {
		if err := os.Rename(aside, policyFile); errors.Is(err, os.ErrNotExist) {
			_ = os.Remove(policyFile)
		}
	}, nil
}
