// Package stack runs the whole sample system: this repository's services, built by slipway, and
// its prod manifest as a throw-away stack on a real Swarm, deployed by slipway over SSH, and
// looked at through its proxy as its users do.
package stack

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/slipwaycmd"
	"slipway/test/sshd"
)

var (
	binary *slipwaycmd.Binary
	shared *slipwaycmd.Cache // the engine of the services in Go, which stand on no image
	images *slipwaycmd.Cache // the engine that takes base images from the tests' mirror
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
	for _, c := range []struct {
		to         **slipwaycmd.Cache
		name, like string
	}{{&shared, "e2e", ""}, {&images, "stack", "e2e"}} {
		opened, err := slipwaycmd.OpenCache(c.name, c.like)
		if err != nil {
			return 1, err
		}
		defer func() {
			if err := opened.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}()
		*c.to = opened
	}
	return m.Run(), nil
}

// bed is a server with a one-node Swarm behind sshd, a registry, a mirror of Docker Hub, and a
// clone of this repository.
type bed struct {
	docker   *dockerd.Daemon
	registry *registry.Registry
	mirror   *registry.Registry
	repo     *gitrepo.Repo
	env      []string
	commits  int
	tag      map[string]string // of each service, as pushed last
}

// overrides are what the kernel of a test machine lacks (without IPVS there are no virtual IPs
// and no routing mesh for ports), and, for the time's sake, health checks that are asked more often
// and updates that are watched for less long.
var overrides = map[string]string{
	"prod": common + `
  nginx-proxy:
    healthcheck: *quick
    ports: !override
      - {target: 80, published: 80, mode: host}
      - {target: 443, published: 443, mode: host}
    deploy: {endpoint_mode: dnsrr, update_config: {order: stop-first, monitor: 1s}, rollback_config: {order: stop-first}}
`,
	"dev": common,
}

const common = `x-test: &test {endpoint_mode: dnsrr, update_config: {monitor: 1s}}
x-quick: &quick {interval: 500ms}
services:
  postgres: {deploy: *test, healthcheck: *quick}
  migrate: {deploy: {endpoint_mode: dnsrr}}
  backend: {deploy: *test, healthcheck: *quick}
  ping: {deploy: *test, healthcheck: *quick}
  frontend: {deploy: *test, healthcheck: *quick}`

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{
		registry: registry.Start(t, registry.Options{}), repo: gitrepo.New(t), tag: map[string]string{},
		mirror: baseimage.Mirror(t, "node:24-bookworm-slim", "nginx:1.28-alpine", "postgres:16.3-alpine"),
	}
	b.clone(t)
	b.docker = dockerd.Start(t, dockerd.Options{Mirrors: []string{b.mirror.Host}, InsecureRegistries: []string{b.registry.Host}})
	b.docker.Init(t)
	server := sshd.Start(t, sshd.Options{
		Users: []sshd.User{{Name: "deploy", Docker: true}}, HostKeys: []string{"ed25519"},
		DockerSocket: strings.TrimPrefix(b.docker.Host, "unix://"),
	})
	b.env = []string{
		"SERVER_HOST=deploy@" + server.Address(), "SSH_KEY=" + server.UserKey("deploy"), "SSH_KNOWN_HOSTS=" + server.KnownHosts(),
		"REGISTRY=" + b.registry.Host, "SLIPWAY_ENGINE=embedded", "SLIPWAY_CACHE=" + shared.Dir,
	}
	return b
}

// clone copies what the system is made of.
func (b *bed) clone(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"services", "manifests"} {
		from := filepath.Join(binary.Home, dir)
		must(t, filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && slices.Contains([]string{"build", "node_modules", "dist"}, d.Name()) {
				return filepath.SkipDir
			}
			if d.IsDir() {
				return nil
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(binary.Home, file)
			b.repo.Write(filepath.ToSlash(rel), string(text))
			return err
		}))
	}
	for _, file := range []string{".golangci.yml", ".gitignore"} {
		b.repo.Write(file, read(t, binary.Home, file))
	}
	settings := "project: project\nenvironments:\n"
	for env, text := range overrides {
		b.repo.Write("manifests/test."+env+".yaml", text)
		settings += "  " + env + ": {overrides: [manifests/test." + env + ".yaml]}\n"
	}
	b.repo.Write("slipway.yaml", settings)
	b.commit("Start")
}

func (b *bed) commit(message string) {
	b.commits++
	b.repo.Commit(message, gitrepo.Epoch.Add(time.Duration(b.commits)*time.Hour))
}

// change replaces a part of a file of the repository, and commits.
func (b *bed) change(t *testing.T, file, old, now string) {
	t.Helper()
	text := read(t, b.repo.Dir, file)
	if strings.Count(text, old) != 1 {
		t.Fatalf("%s has %q %d times, and not once", file, old, strings.Count(text, old))
	}
	b.repo.Write(file, strings.Replace(text, old, now, 1))
	b.commit("Change " + file)
}

// limit bounds one call: more than a cold cache on a slow machine needs.
const limit = 15 * time.Minute

func (b *bed) slipway(t *testing.T, args ...string) slipwaycmd.Result {
	t.Helper()
	return b.start(t, args...).Wait(t, limit)
}

func (b *bed) start(t *testing.T, args ...string) *slipwaycmd.Process {
	t.Helper()
	return binary.Start(t, b.repo.Dir, b.env, args...)
}

// push builds the services by slipway and pushes their images: those in Go by the engine that has
// the linter compiled, and the frontend by one that finds its base images.
func (b *bed) push(t *testing.T) {
	t.Helper()
	began := time.Now()
	release := slipwaycmd.HoldMirrors(t)
	defer release()
	goServices := b.start(t, "image:push", "backend,ping")
	frontend := binary.Start(t, b.repo.Dir, append(b.env[:len(b.env):len(b.env)], "SLIPWAY_CACHE="+images.Dir, "REGISTRY_MIRROR="+b.mirror.Host), "image:push", "frontend")
	for _, p := range []*slipwaycmd.Process{frontend, goServices} {
		for line := range strings.Lines(p.Wait(t, limit).Exits(t, 0).Stdout) {
			if field := strings.Fields(line); len(field) == 3 { // NAME TAG DIGEST
				b.tag[field[0]] = field[1]
			}
		}
	}
	if len(b.tag) != 3 {
		t.Fatalf("pushed are %v", b.tag)
	}
	t.Logf("built and pushed in %s: %v", time.Since(began).Round(time.Second), b.tag)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	must(t, err)
	return string(data)
}
