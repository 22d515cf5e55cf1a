package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"slipway/test/gitrepo"
	"slipway/test/registry"
)

func TestPush(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	r := sample(t, "alpha", "beta")
	r.Git("remote", "add", "origin", "git@git.example.com:group/sample.git")
	r.Write("slipway.yaml", "services:\n  alpha: {tags: [dev, latest]}\n  beta: {image: other/name}\n")
	r.Commit("Name images", gitrepo.Epoch)
	c := in(r.Dir, "REGISTRY="+reg.Host+"/group")
	got := c.slipway(t, "image:push", "alpha,beta").Exits(t, 0)

	tag := "20240725_" + r.Git("rev-parse", "HEAD^")[:8]
	alpha := pulled(t, reg.Host+"/group/alpha:"+tag, authn.Anonymous)
	beta := pulled(t, reg.Host+"/group/other/name:"+tag, authn.Anonymous)
	must(t, validate.Image(alpha))
	if want := fmt.Sprintf("alpha %s %s\nbeta %s %s\n", tag, digest(t, alpha), tag, digest(t, beta)); got.Stdout != want {
		t.Errorf("stdout is\n%s, want\n%s", got.Stdout, want)
	}
	for _, floating := range []string{"dev", "latest"} {
		if d := digest(t, pulled(t, reg.Host+"/group/alpha:"+floating, authn.Anonymous)); d != digest(t, alpha) {
			t.Errorf("%s is %s, want %s", floating, d, digest(t, alpha))
		}
	}
	manifest, err := alpha.Manifest()
	must(t, err)
	config, err := alpha.ConfigFile()
	must(t, err)
	want := map[string]string{
		"org.opencontainers.image.created":  "2024-07-25T12:00:00Z",
		"org.opencontainers.image.revision": r.Git("rev-parse", "HEAD^"),
		"org.opencontainers.image.source":   "https://git.example.com/group/sample",
		"org.opencontainers.image.title":    "alpha",
		"org.opencontainers.image.version":  tag,
	}
	if !maps.Equal(manifest.Annotations, want) || !maps.Equal(config.Config.Labels, want) {
		t.Errorf("annotations %v and labels %v, want %v", manifest.Annotations, config.Config.Labels, want)
	}

	reg.Forget()
	if again := c.slipway(t, "image:push", "alpha,beta").Exits(t, 0); again.Stdout != got.Stdout {
		t.Errorf("pushed again, stdout is\n%s, want\n%s", again.Stdout, got.Stdout)
	}
	for _, q := range reg.Writes() {
		if q.Method == http.MethodPatch || q.Method == http.MethodPut && strings.Contains(q.Path, "/blobs/") {
			t.Errorf("pushed again, a blob was sent: %s", q)
		}
	}
}

func pulled(t testing.TB, ref string, auth authn.Authenticator) v1.Image {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	must(t, err)
	img, err := remote.Image(parsed, remote.WithAuth(auth), remote.WithContext(t.Context()))
	must(t, err)
	return img
}

// Whatever says the password, it is used, and it is nowhere to be read afterwards.
func TestCredentials(t *testing.T) {
	const password = "canary-3f9c1e7b"
	reg := registry.Start(t, registry.Options{Users: map[string]string{"robot": password}})
	encoded := base64.StdEncoding.EncodeToString([]byte("robot:" + password))
	for kind, env := range map[string]func(t *testing.T) []string{
		"variables": func(*testing.T) []string { return []string{"REGISTRY_USER=robot", "REGISTRY_PASSWORD=" + password} },
		"GitLab's": func(*testing.T) []string {
			return []string{"CI_REGISTRY_USER=robot", "CI_REGISTRY_PASSWORD=" + password}
		},
		"Docker's file": func(t *testing.T) []string {
			return dockerConfig(t, "auths", map[string]any{reg.Host: map[string]string{"auth": encoded}})
		},
		"credential helper": func(t *testing.T) []string { return helper(t, reg.Host, password) },
	} {
		t.Run(kind, func(t *testing.T) {
			r := sample(t, "alpha")
			r.Write("services/alpha/name.go", "package main\n\n// "+rand.Text()+" is content that the engine has to check.\n")
			r.Commit("Be another content", later(1))
			p := in(r.Dir, append(env(t), "REGISTRY="+reg.Host)...).start(t, "image:push", "alpha")
			seen := watchCommandLines(p)
			got := p.wait(t).Exits(t, 0)
			commands := <-seen
			img := pulled(t, reg.Host+"/alpha:20240726_"+r.Head()[:8], &authn.Basic{Username: "robot", Password: password})
			if want := "alpha 20240726_" + r.Head()[:8] + " " + digest(t, img) + "\n"; got.Stdout != want {
				t.Errorf("stdout is\n%s, want\n%s", got.Stdout, want)
			}
			if !strings.Contains(commands, "image:push\x00alpha") {
				t.Errorf("slipway itself was not seen among the commands:\n%q", commands)
			}
			for where, text := range map[string]string{
				"stdout": got.Stdout, "stderr": got.Stderr, "command lines": commands,
				"build/": allText(t, file(r, "build")), "the engine's log and databases": engineText(t),
			} {
				for _, secret := range []string{password, encoded} {
					if strings.Contains(text, secret) {
						t.Errorf("the password is in %s", where)
					}
				}
			}
		})
	}
}

// dockerConfig makes Docker's configuration with one field in it.
func dockerConfig(t *testing.T, field string, value any) []string {
	t.Helper()
	data, err := json.Marshal(map[string]any{field: value})
	must(t, err)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "config.json"), string(data), 0o600)
	return []string{"DOCKER_CONFIG=" + dir}
}

// helper makes a credential helper (github.com/docker/docker-credential-helpers: the host
// on stdin, JSON on stdout) and names it for a host in Docker's configuration.
func helper(t *testing.T, host, password string) []string {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = get ] && [ \"$(cat)\" = %s ] || exit 1\necho '{\"ServerURL\":\"%s\",\"Username\":\"robot\",\"Secret\":\"%s\"}'\n", host, host, password)
	writeFile(t, filepath.Join(dir, "docker-credential-canary"), script, 0o755)
	return append(dockerConfig(t, "credHelpers", map[string]string{host: "canary"}), "PATH="+dir+":"+hostPath())
}

func TestAPushThatCannotBeIsKnownBeforeAnythingIsBuilt(t *testing.T) {
	reg := registry.Start(t, registry.Options{Users: map[string]string{"robot": "secret", "reader": "secret"}, ReadOnly: []string{"reader"}})
	r := sample(t, "alpha", "beta")
	ref := reg.Host + "/group/alpha:20240725_" + r.Head()[:8]
	login := " (401). Set REGISTRY_USER and REGISTRY_PASSWORD, or run `docker login " + reg.Host + "`"
	c := in(r.Dir, "REGISTRY="+reg.Host+"/group")
	for _, test := range []struct {
		env  []string
		says string
	}{
		{nil, "cannot push to " + ref + ": " + reg.Host + " refuses the login without credentials" + login},
		{[]string{"REGISTRY_USER=robot", "REGISTRY_PASSWORD=wrong"}, "cannot push to " + ref + ": " + reg.Host + " refuses the login as robot" + login},
		{[]string{"REGISTRY_USER=reader", "REGISTRY_PASSWORD=secret"}, "cannot push to " + ref + ": " + reg.Host + " does not let in as reader (403): the login is right, but it may not write group/alpha. Ask for the right to push"},
	} {
		refused(t, c.with(test.env...), 1, test.says, "image:push", "alpha,beta")
	}
	broken := c.with(dockerConfig(t, "credHelpers", map[string]string{reg.Host: "missing"})...)
	refused(t, broken, 1, "cannot push to "+ref+": asking Docker's configuration for the credentials of "+reg.Host+`: error getting credentials - err: exec: "docker-credential-missing": executable file not found in $PATH, out: `+"``. Repair that, or set REGISTRY_USER and REGISTRY_PASSWORD", "image:push", "alpha")
	for _, q := range reg.Writes() {
		if q.Status < 400 {
			t.Errorf("the registry accepted %s", q)
		}
	}
	reg.Down()
	says := fmt.Sprintf(`cannot push to %s: the registry %s does not answer: dial tcp %s: connect: connection refused. Check REGISTRY and the network`, ref, reg.Host, reg.Host)
	refused(t, c.with("REGISTRY_USER=robot", "REGISTRY_PASSWORD=secret"), 1, says, "image:push", "alpha")
}

// The proof leaves nothing behind, and every service of a list is asked for.
func TestTheProofOfAPushAsksForEachImage(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	r := sample(t, "alpha", "beta")
	in(r.Dir, "REGISTRY="+reg.Host).slipway(t, "image:push", "alpha,beta").Exits(t, 0)
	var asked []string
	for _, q := range reg.Writes() {
		if q.Method == http.MethodPost && !slices.Contains(asked, q.Path) {
			asked = append(asked, q.Path)
		}
	}
	if want := []string{"/v2/alpha/blobs/uploads/", "/v2/beta/blobs/uploads/"}; !slices.Equal(asked[:2], want) {
		t.Errorf("asked first for %q, want %q", asked, want)
	}
}

// What happens to the registry after the proof is a failure of the push alone: the build
// is kept, and pushing again is what is left to do.
func TestARegistryThatGoesDownDuringTheBuild(t *testing.T) {
	reg := registry.Start(t, registry.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reg.Down() }))
	defer server.Close()
	r := sample(t, "alpha", "beta")
	r.Write("services/alpha/ask_test.go", fmt.Sprintf(askGo, server.Listener.Addr(), rand.Text()))
	head := r.Commit("Ask", later(1))
	c := in(r.Dir, "REGISTRY="+reg.Host)
	got := c.slipway(t, "image:push", "alpha").Exits(t, 1)
	want := fmt.Sprintf(`
✗ cannot push %s/alpha:20240726_%s: the registry %s does not answer: dial tcp %s: connect: connection refused. Check REGISTRY and the network

Repeat only this: go tool mage image:push alpha
`, reg.Host, head[:8], reg.Host, reg.Host)
	if !strings.HasSuffix(got.Stderr, want) || got.Stdout != "" {
		t.Errorf("stdout is %q, and stderr ends\n%s, want\n%s", got.Stdout, end(got.Stderr), want)
	}
	if states := readRecord(t, r).states(t, "alpha"); states["test alpha"] != "done" || states["push alpha"] != "failed" {
		t.Errorf("the steps ended as %v", states)
	}
	reg.Up()
	img, _ := image(t, r, "alpha")
	if again := c.slipway(t, "image:push", "alpha").Exits(t, 0); again.Stdout != "alpha 20240726_"+head[:8]+" "+digest(t, img)+"\n" {
		t.Errorf("pushed again, stdout is\n%s", again.Stdout)
	}
	for step, state := range readRecord(t, r).states(t, "alpha") {
		if state != "cached" && step != "push alpha" {
			t.Errorf("pushed again, %s was %s", step, state)
		}
	}
}
