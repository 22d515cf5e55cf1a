package ci

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

// sample makes a repository with the service ping, which waits to be stopped, and the
// environments dev and prod.
func sample(t testing.TB) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	r.Write(".gitignore", "/build/\n/.gitlab-ci-local/\n")
	r.Write("slipway.yaml", "project: shop\n")
	r.Write(".golangci.yml", read(t, home, ".golangci.yml"))
	r.Write("services/Dockerfile", read(t, home, "services", "Dockerfile"))
	r.Write("services/.dockerignore", read(t, home, "services", ".dockerignore"))
	m := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, home, "services", "go.mod"))
	if m == nil {
		t.Fatal("services/go.mod has no go line")
	}
	r.Write("services/go.mod", "module sample\n\ngo "+m[1]+"\n") // the real one's, whose toolchain is fetched once
	r.Write("services/ping/main.go", mainGo)
	r.Write("services/ping/main_test.go", mainTestGo)
	for _, env := range []string{"dev", "prod"} {
		r.Write("manifests/docker-compose."+env+".yaml", manifest)
	}
	return r
}

// withMage gives a repository mage as slipway's own has it, so that `go tool mage` is the real
// command. What the targets call comes from SLIPWAY_HOME.
func withMage(t testing.TB, r *gitrepo.Repo) {
	t.Helper()
	for _, f := range []string{"go.mod", "go.sum"} {
		r.Write(f, read(t, home, f))
	}
	for _, dir := range []string{"magefiles", "progress"} {
		must(t, os.CopyFS(filepath.Join(r.Dir, dir), os.DirFS(filepath.Join(home, dir))))
	}
}

// environ is a job's environment: nothing of the caller's own CI, registry and Docker, a home
// of its own, and the tests' cache.
func environ(t testing.TB, more ...string) []string {
	t.Helper()
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch prefix, _, _ := strings.Cut(name, "_"); prefix {
		case "REGISTRY", "CI", "GITLAB", "GITHUB", "NOTIFY", "DOCKER", "SLIPWAY", "SERVER", "SSH", "GIT", "XDG", "NETRC", "GOENV", "HOME":
		default:
			env = append(env, v)
		}
	}
	env = append(env, hostGo...)
	env = append(env, "HOME="+t.TempDir(), "SLIPWAY_HOME="+home, "SLIPWAY_CACHE="+cache, "SLIPWAY_ENGINE=embedded", "SLIPWAY_PROGRESS=plain")
	return append(env, more...)
}

const mainGo = `// Ping waits to be stopped, and is healthy all the while.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 { // -healthcheck
		return
	}
	fmt.Println(message(os.Getenv("VERSION")))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}

func message(version string) string { return "ping " + version }
`

const mainTestGo = `package main

import "testing"

func TestMessage(t *testing.T) {
	if got := message("1"); got != "ping 1" {
		t.Errorf("message: %s", got)
	}
}
`

// manifest needs no virtual IP, for which kernels of test machines lack IPVS.
const manifest = `services:
  ping:
    image: ${REGISTRY}/ping:${TAG}
    healthcheck: {test: [CMD, /app/service, -healthcheck], interval: 300ms, timeout: 5s, retries: 3, start_period: 200ms}
    deploy:
      endpoint_mode: dnsrr
      update_config: {order: start-first, failure_action: rollback, monitor: 500ms}
`
