package tools

import (
	"strings"
	"testing"
)

// TestPinned: a tool without its checksums would be compiled from whatever the proxy says.
func TestPinned(t *testing.T) {
	set := Set()
	for tool, pkg := range map[string]string{
		"golangci-lint": "github.com/golangci/golangci-lint/v2/cmd/golangci-lint",
		"testreport":    "gotest.tools/gotestsum",
	} {
		got := set.Lint
		if tool == "testreport" {
			got = set.Test
		}
		module, _, _ := strings.Cut(strings.Replace(pkg, "/cmd/golangci-lint", "", 1), " ")
		if got.Name != tool || !strings.Contains(got.Mod, pkg+"\n") || !strings.Contains(got.Sum, module+" v") {
			t.Errorf("%s: the module files do not pin %s", tool, pkg)
		}
	}
}
