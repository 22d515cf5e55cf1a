package slipwaycmd

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Environment is what a call gets of the caller's: how this machine reaches the world, and none
// of its settings for slipway, CI, Docker, registries and git. HOME is an empty directory.
func Environment(t testing.TB) []string {
	t.Helper()
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch prefix, _, _ := strings.Cut(name, "_"); prefix {
		case "REGISTRY", "CI", "GITLAB", "GITHUB", "NOTIFY", "DOCKER", "SLIPWAY", "GIT", "XDG", "NETRC", "GO111MODULE", "GOENV", "SERVER", "SSH", "USER":
		default:
			env = append(env, v)
		}
	}
	reach, err := reachable()
	if err != nil {
		t.Fatal(err)
	}
	return append(append(env, reach...), "HOME="+t.TempDir(), "USER=anna")
}

// reachable are the settings that may be in files below HOME: of go, and of npm.
var reachable = sync.OnceValues(func() ([]string, error) {
	names := []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOCACHE", "GOMODCACHE", "GOFLAGS"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil, err
	}
	values := strings.Split(string(out), "\n")
	var env []string
	for i, name := range names {
		if values[i] != "" {
			env = append(env, name+"="+values[i])
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		env = append(env, "NPM_CONFIG_USERCONFIG="+cmp.Or(os.Getenv("NPM_CONFIG_USERCONFIG"), filepath.Join(home, ".npmrc")))
	}
	return env, nil
})
