package embedded

import (
	"os"
	"testing"

	"golang.org/x/mod/modfile"
)

// Compiling the server takes minutes from nothing, and little where the client's packages
// are in Go's cache: they are the same packages only at the same versions.
func TestServerUsesTheClientsModuleVersions(t *testing.T) {
	client, server := requirements(t, "../../go.mod"), requirements(t, serverSource+"/go.mod")
	shared := 0
	for path, version := range server {
		if want, ok := client[path]; ok {
			shared++
			if version != want {
				t.Errorf("tools/buildkitd has %s %s and the root module %s: go get it there, then go mod tidy", path, version, want)
			}
		}
	}
	if shared == 0 {
		t.Error("the two modules share nothing")
	}
}

func requirements(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	f, err := modfile.Parse(path, data, nil)
	must(t, err)
	out := map[string]string{}
	for _, r := range f.Require {
		out[r.Mod.Path] = r.Mod.Version
	}
	return out
}
