package tutorial

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/test/dockerd"
	"slipway/test/host"
	"slipway/test/slipwaycmd"
)

var (
	binary *slipwaycmd.Binary
	cache  *slipwaycmd.Cache
)

func TestMain(m *testing.M) {
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (code int, err error) {
	if binary, err = slipwaycmd.Compile(); err != nil {
		return 1, err
	}
	defer binary.Remove()
	if cache, err = slipwaycmd.OpenCache("e2e", ""); err != nil {
		return 1, err
	}
	defer func() {
		if err := cache.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run(), nil
}

// substitutions are all that the test reads otherwise than it stands on the page, each with its
// reason.
var substitutions = []struct{ page, here, why string }{
	{"go tool mage self:compile\n", "", "the binary is there, and first on PATH"},
	{"    known_hosts: deploy/known_hosts\n", "    known_hosts: deploy/known_hosts\n    overrides: [override.yaml]\n", "kernels of test machines have no IPVS, and so no routing mesh for ports"},
	{"git add .\ngit commit -q -m 'Say hello'", "cat > override.yaml <<'EOF'\n" + override + "EOF\ngit add .\ngit commit -q -m 'Say hello'", "the same"},
	{" 2/2", " 1/1", "a node's own port can be held by one task only"},
	{"$ curl -sS ", "$ curl -sS --retry 60 --retry-delay 1 --retry-all-errors ", "then the old task has to end before the new one starts, and comes back only a while after a rollback"},
	{"$ slipway server:doctor prod\n", "$ slipway server:doctor prod | awk '" + withoutRoom + "'\n", "this machine's disk and memory are as full as they are"},
}

const override = `services:
  hello:
    ports: !override [{target: 8080, published: 8080, mode: host}]
    deploy: {endpoint_mode: dnsrr, replicas: 1, update_config: {order: stop-first}}
`

// withoutRoom leaves out what server:doctor says of room, three lines each.
const withoutRoom = `/^room: /{skip=3; n++} skip>0{skip--; next} /: [0-9]+ problems?$/{if ($(NF-1)==n) sub(/: .*/, ": nothing is wrong")} {print}`

func TestTheTutorial(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(binary.Home, "docs", "tutorial.md"))
	must(t, err)
	page := string(data)
	for _, s := range substitutions {
		if !strings.Contains(page, s.page) {
			t.Errorf("the page does not have %q any more, which is replaced because %s", s.page, s.why)
		}
		page = strings.ReplaceAll(page, s.page, s.here)
	}
	all, err := steps(page)
	must(t, err)
	lan := dockerd.NewLan(t)
	server := host.Start(t, host.Options{Name: "swarm", Lan: lan, Files: map[string]string{
		// What the DNS does elsewhere.
		"/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 swarm\n10.77.0.1 registry.example.com\n",
	}})
	if server.IP != "10.77.0.1" {
		t.Fatalf("the host has the address %s", server.IP)
	}
	reader := newLaptop(t, lan, server, binary)
	reader.env = append(reader.env, "SLIPWAY_CACHE="+cache.Dir)
	for i, wrote := range reader.types(t, all, 20*time.Minute) {
		s := all[i]
		if line := missing(s.shows, wrote); line != "" {
			t.Errorf("docs/tutorial.md:%d: %s\nshows the line\n%s\nwhich is not in its place in\n%s", s.line, s.command, line, wrote)
		}
	}
}
