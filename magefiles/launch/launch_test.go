package launch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMoreTargets(t *testing.T) {
	for _, c := range []struct {
		line string
		call []string // targets that mage runs in turn
		more []bool
		err  string
	}{
		{line: "build:service ping", call: []string{"build:service ping"}, more: []bool{false}},
		{line: "Build:Service ping", call: []string{"build:service ping"}, more: []bool{false}},
		{line: "build:plan ping -json=true", call: []string{"build:plan ping -json=true"}, more: []bool{false}},
		{line: "build:lint ping build:test ping", call: []string{"build:lint ping", "build:test ping"}, more: []bool{true, false}},
		{line: "build:service ping pong", call: []string{"build:service ping"}, err: "\"pong\" is one word too many after `build:service ping`"},
	} {
		taken = 0
		for i, call := range c.call {
			more, err := moreTargets(strings.Fields(c.line), strings.Fields(call))
			if got := errText(err); got != c.err {
				t.Errorf("%s: error %q, want %q", c.line, got, c.err)
			}
			if err == nil && more != c.more[i] {
				t.Errorf("%s: after %s more is %t", c.line, call, more)
			}
		}
	}
	taken = 0
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSourceHash: what the binary is made of changes the hash, what it is not made of does
// not, or every edit of a service would compile slipway anew.
func TestSourceHash(t *testing.T) {
	home := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash := func() string {
		t.Helper()
		sum, err := sourceHash(home)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	write("go.mod", "module slipway\n")
	write("cmd/slipway/main.go", "package main\n")
	before := hash()
	for name, changes := range map[string]bool{
		"pipeline/plan.go": true, "go.sum": true, "tools/golangci-lint.mod": true,
		"services/ping/main.go": false, "README.md": false, "pipeline/plan_test.go": false,
		"tools/buildkitd/main.go": false, "build/run.json": false, ".git/config.go": false,
	} {
		write(name, "package x // "+name)
		after := hash()
		if (after != before) != changes {
			t.Errorf("writing %s: hash changed: %t, want %t", name, after != before, changes)
		}
		before = after
	}
}

func TestHomeThatIsGone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(HomeVar, dir)
	_, err := Home()
	if want := "slipway's source is not in " + dir + " any more: set SLIPWAY_HOME to its directory"; errText(err) != want {
		t.Errorf("got %q, want %q", errText(err), want)
	}
}
