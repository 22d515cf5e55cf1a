package e2e

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/reuse"
)

// keptNothing wants no entry in the registry.
func (s *shop) keptNothing(t testing.TB) {
	t.Helper()
	for _, q := range s.reg.Writes() {
		if strings.Contains(q.Path, "inputs-") {
			t.Errorf("it wrote %s", q)
		}
	}
}

// Old registries know images only. That is no reason for a build to fail.
func TestARegistryThatTakesNoEntries(t *testing.T) {
	s := newShop(t, "alpha")
	to, err := url.Parse("http://" + s.reg.Host)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.URL.Path, "/manifests/inputs-") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_INVALID","message":"no artifacts here"}]}`)
			return
		}
		proxy.ServeHTTP(w, q)
	}))
	defer front.Close()
	got := s.job(s.key, "REGISTRY="+front.Listener.Addr().String()).slipway(t, "image:push", "alpha").Exits(t, 0)
	for _, want := range []string{"slipway: warning: alpha: whether it was built before is not known: ", "slipway: warning: alpha is not kept for reuse: ", "answered 400"} {
		if !strings.Contains(got.Stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, got.Stderr)
		}
	}
}

// Files that are saved while the engine is at work may be in what it builds, or not: that must
// not be kept as built of what was there before.
func TestFilesThatChangeDuringTheBuildAreNotKept(t *testing.T) {
	s := newShop(t, "alpha")
	g := newGate(t)
	s.Write("services/alpha/ask_test.go", fmt.Sprintf(askGo, strings.TrimPrefix(g.url, "http://"), rand.Text()))
	s.Commit("Ask", later(2))
	p := s.job(s.key).start(t, "image:push", "alpha")
	g.wait(t, p)
	s.Write("services/alpha/main.go", strings.ReplaceAll(mainGo, "NAME", "saved"))
	g.open()
	if got := p.wait(t).Exits(t, 0); !strings.Contains(got.Stderr, "slipway: warning: alpha is not kept for reuse: its files have changed while it was built") {
		t.Errorf("stderr is\n%s", got.Stderr)
	}
	s.keptNothing(t)
}

func TestUnprotectedBranchesDoNotSign(t *testing.T) {
	s := newShop(t, "alpha")
	got := s.job(s.key, "GITLAB_CI=true", "CI_COMMIT_REF_PROTECTED=false").slipway(t, "image:push", "alpha").Exits(t, 0)
	if !strings.Contains(got.Stderr, "what was built is not signed: this job has SLIPWAY_SIGNING_KEY, and its branch is not protected (CI_COMMIT_REF_PROTECTED=false)") {
		t.Errorf("stderr is\n%s", got.Stderr)
	}
	s.keptNothing(t)
}

func TestKeysAreMadeAndRead(t *testing.T) {
	r := sample(t, "alpha")
	file := filepath.Join(t.TempDir(), "signing.key")
	made := in(r.Dir).slipway(t, "ci:keys", "-out="+file).Exits(t, 0)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if keys, err := reuse.ParsePublic(made.Stdout); err != nil || len(keys) != 1 || strings.Contains(made.Stdout+made.Stderr, "PRIVATE") {
		t.Errorf("it prints\n%s\n%s (%v)", made.Stdout, made.Stderr, err)
	}
	in(r.Dir).slipway(t, "ci:keys", "-out="+file).Exits(t, 2)
	in(r.Dir).slipway(t, "ci:keys").Exits(t, 2)
	for env, says := range map[string]string{
		"SLIPWAY_SIGNING_KEY=/no/such/c4n4ry": "SLIPWAY_SIGNING_KEY is neither a key in PEM nor a file with one: there is no such file",
		"SLIPWAY_SIGNING_KEY=env://NOWHERE":   "SLIPWAY_SIGNING_KEY is env://NOWHERE: this environment variable is not set",
		"SLIPWAY_TRUSTED_KEYS=hello":          `SLIPWAY_TRUSTED_KEYS: "hello" is no public key`,
	} {
		got := in(r.Dir, env, dead).slipway(t, "build:service", "alpha").Exits(t, 2)
		if !strings.Contains(got.Stderr, says) || strings.Contains(got.Stderr, "c4n4ry") {
			t.Errorf("%s: stderr is\n%s, want %s", env, got.Stderr, says)
		}
	}
	for _, ref := range []string{file, "file://" + file} {
		if got := in(r.Dir, "SLIPWAY_SIGNING_KEY="+ref, dead).slipway(t, "build:service", "alpha").Exits(t, 1); !strings.Contains(got.Stderr, "no BuildKit answers") {
			t.Errorf("%s: %s", ref, got.Stderr)
		}
	}
}
