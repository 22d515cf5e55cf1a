package aptget_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"slipway/test/aptget"
)

func TestNeedInstallsACommandAndLeavesThePolicyAsItWas(t *testing.T) {
	const policy = "/usr/sbin/policy-rc.d"
	before, beforeErr := os.ReadFile(policy)
	aptget.Need(t, "mmdebstrap", "mmdebstrap")
	if out, err := exec.Command("mmdebstrap", "--version").CombinedOutput(); err != nil {
		t.Fatalf("mmdebstrap --version: %v\n%s", err, out)
	}
	after, afterErr := os.ReadFile(policy)
	if string(before) != string(after) || (beforeErr == nil) != (afterErr == nil) {
		t.Fatalf("%s was %q (%v) and is %q (%v)", policy, before, beforeErr, after, afterErr)
	}
}

func TestAnUnknownPackageIsNamed(t *testing.T) {
	_, err := aptget.Ensure(t.Context(), "no-such-command-here", "no-such-package-here")
	if err == nil || !strings.Contains(err.Error(), "no-such-package-here") {
		t.Fatalf("got %v, want an error naming the package", err)
	}
}
