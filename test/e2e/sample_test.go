package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/test/gitrepo"
)

// sample makes a repository with one commit: services of these names without dependencies,
// all using the package services/greet, with the real monorepo's Dockerfile, Go version
// and linter settings.
func sample(t testing.TB, services ...string) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	r.Write(".gitignore", "/build/\n")
	r.Write(".golangci.yml", read(t, home, ".golangci.yml"))
	r.Write("services/Dockerfile", read(t, home, "services", "Dockerfile"))
	r.Write("services/.dockerignore", read(t, home, "services", ".dockerignore"))
	r.Write("services/go.mod", "module sample\n\ngo "+goVersion(t)+"\n")
	r.Write("services/greet/greet.go", greetGo)
	r.Write("services/greet/greet_test.go", greetTestGo)
	for _, s := range services {
		r.Write("services/"+s+"/main.go", strings.ReplaceAll(mainGo, "NAME", s))
		r.Write("services/"+s+"/main_test.go", mainTestGo)
	}
	r.Commit("Start", gitrepo.Epoch)
	return r
}

// goVersion is the real monorepo's, so that its toolchain is fetched once.
func goVersion(t testing.TB) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, home, "services", "go.mod"))
	if m == nil {
		t.Fatal("services/go.mod has no go line")
	}
	return m[1]
}

// later is when a sample's n-th further commit happens.
func later(n int) time.Time { return gitrepo.Epoch.AddDate(0, 0, n) }

// file is a path in a repository.
func file(r *gitrepo.Repo, path string) string { return filepath.Join(r.Dir, filepath.FromSlash(path)) }

const greetGo = `// Package greet greets.
package greet

// Hello greets somebody.
func Hello(name string) string { return "hello " + name }
`

const greetTestGo = `package greet

import "testing"

func TestHello(t *testing.T) {
	if got := Hello("you"); got != "hello you" {
		t.Errorf("Hello: %s", got)
	}
}
`

const mainGo = `// NAME greets and says its version.
package main

import (
	"os"

	"sample/greet"
)

func main() { println(message(os.Getenv("VERSION"))) }

func message(version string) string { return greet.Hello("NAME " + version) }
`

const mainTestGo = `package main

import (
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	if got := message("1"); !strings.HasSuffix(got, " 1") {
		t.Errorf("message: %s", got)
	}
}
`

// askGo is a test that asks an HTTP server, the first argument, and fails unless that
// answers 200. It does so without net/http, which takes long to compile. The second
// argument makes it content that the engine has not seen.
const askGo = `package main

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	c, err := net.Dial("tcp", %q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	status, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(status, " 200 ") {
		t.Fatal(strings.TrimSpace(status))
	}
}

// %s
`
