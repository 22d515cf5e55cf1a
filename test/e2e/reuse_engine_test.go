package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"slipway/registry"
	"slipway/reuse"
	"slipway/secret"
	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	testregistry "slipway/test/registry"
)

// dead names an engine that nobody answers for: what ends well with it has started none.
const dead = "SLIPWAY_ENGINE=tcp://127.0.0.1:1"

// shop is a repository with a service on a base image of a registry, which images go to as well.
type shop struct {
	*gitrepo.Repo
	reg          *testregistry.Registry
	base         name.Reference
	key, trusted string // of the protected runs: as SLIPWAY_SIGNING_KEY, as SLIPWAY_TRUSTED_KEYS
}

func newShop(t testing.TB, services ...string) *shop {
	t.Helper()
	s := &shop{Repo: sample(t, services...), reg: testregistry.Start(t, testregistry.Options{})}
	var err error
	s.base, err = name.ParseReference(s.reg.Host + "/base:1")
	must(t, err)
	s.moveBase(t)
	s.Write("services/Dockerfile", fmt.Sprintf("FROM %s\nARG SERVICE\nCOPY build/$SERVICE /app\nENTRYPOINT [\"/app\"]\n", s.base))
	s.Commit("Stand on a base", later(1))
	private, public, err := reuse.Generate()
	must(t, err)
	s.key, s.trusted = "SLIPWAY_SIGNING_KEY="+private.Reveal(), "SLIPWAY_TRUSTED_KEYS="+public
	return s
}

func (s *shop) moveBase(t testing.TB) {
	t.Helper()
	img, err := random.Image(100, 1)
	must(t, err)
	must(t, remote.Write(s.base, img))
}

// job is a call in CI, where this machine's own memory does not count.
func (s *shop) job(env ...string) call {
	return in(s.Dir, append([]string{"CI=true", "REGISTRY=" + s.reg.Host + "/group"}, env...)...)
}

// rebase gives all services' content to a commit of another day, and returns its tag.
func (s *shop) rebase(n int) string {
	s.Git("mv", "services/Dockerfile", "Dockerfile.away")
	s.Commit("Take it away", later(n))
	s.Git("mv", "Dockerfile.away", "services/Dockerfile")
	return later(n+1).Format("20060102_") + s.Commit("Bring it back", later(n+1))[:8]
}

// entry is the tag of the only entry that a repository has.
func (s *shop) entry(t testing.TB, repository string) string {
	t.Helper()
	repo, err := name.NewRepository(s.reg.Host + "/group/" + repository)
	must(t, err)
	tags, err := remote.List(repo)
	must(t, err)
	tags = slices.DeleteFunc(tags, func(tag string) bool { return !strings.HasPrefix(tag, "inputs-") })
	if len(tags) != 1 {
		t.Fatalf("%s has the entries %q, want one", repository, tags)
	}
	return tags[0]
}

func TestAnotherCommitOfSignedInputsOnlyGetsATag(t *testing.T) {
	s := newShop(t, "alpha", "beta")
	s.Write("slipway.yaml", "trust: [\""+strings.TrimPrefix(s.trusted, "SLIPWAY_TRUSTED_KEYS=")+"\"]\nservices: {alpha: {tags: [dev]}}\n")
	s.Commit("Trust the key, and move a tag along", later(2))
	signed := s.job(s.key).slipway(t, "image:push", "alpha,beta").Exits(t, 0)
	private := strings.Split(s.key, "\n")[1]
	for where, text := range map[string]string{"the output": signed.Stdout + signed.Stderr, "build/": allText(t, file(s.Repo, "build")), "the engine's log and databases": engineText(t)} {
		if strings.Contains(text, private) {
			t.Errorf("the signing key is in %s", where)
		}
	}
	first := digest(t, pulled(t, s.reg.Host+"/group/alpha:dev", authn.Anonymous))

	tag := s.rebase(3)
	s.reg.Forget()
	began := time.Now()
	got := s.job(dead).slipway(t, "image:push", "alpha,beta").Exits(t, 0)
	t.Logf("the new tags of two services took %s, the start of the program included", time.Since(began).Round(time.Millisecond))
	for _, service := range []string{"alpha", "beta"} {
		img := pulled(t, s.reg.Host+"/group/"+service+":"+tag, authn.Anonymous)
		must(t, validate.Image(img))
		if want := service + " " + tag + " " + digest(t, img) + "\n"; !strings.Contains(got.Stdout, want) {
			t.Errorf("stdout is\n%s, want %s", got.Stdout, want)
		}
		config, err := img.ConfigFile()
		must(t, err)
		if !slices.Contains(config.Config.Env, "VERSION="+tag) || config.Config.Labels["org.opencontainers.image.revision"] != s.Head() || !config.Created.Equal(later(4)) {
			t.Errorf("the image of %s is still another commit's: %v %v %s", service, config.Config.Env, config.Config.Labels, config.Created)
		}
		if states := readRecordOn(t, s.Repo, "no engine").states(t, service); states["test "+service] != "reused" || states["image "+service] != "reused" || states["push "+service] != "done" {
			t.Errorf("the steps ended as %v", states)
		}
	}
	if now := digest(t, pulled(t, s.reg.Host+"/group/alpha:dev", authn.Anonymous)); now == first {
		t.Error("the floating tag was left behind")
	}
	for _, q := range s.reg.Writes() {
		if strings.Contains(q.Path, "inputs-") {
			t.Errorf("who has no key wrote %s", q)
		}
	}
	if page := read(t, s.Dir, "build", "report.html"); !strings.Contains(page, "reused") {
		t.Error("build/report.html does not say that anything was reused")
	}

	built := s.job().slipway(t, "image:push", "alpha,beta", "-noReuse=true").Exits(t, 0)
	if built.Stdout != got.Stdout {
		t.Errorf("built by an engine, the same commit gives\n%s, and from the entries it was\n%s", built.Stdout, got.Stdout)
	}
	if state := readRecord(t, s.Repo).states(t, "alpha")["test alpha"]; state == "reused" {
		t.Error("-noReuse=true reused what had passed")
	}

	s.job(dead).slipway(t, "ci:run", "-event=merge", "-labels=tests").Exits(t, 0)
	if state := readRecordOn(t, s.Repo, "no engine").states(t, "alpha")["lint alpha"]; state != "reused" {
		t.Errorf("in a merge request's run lint was %s", state)
	}

	s.moveBase(t)
	if moved := s.job(dead).slipway(t, "image:push", "alpha").Exits(t, 1); !strings.Contains(moved.Stderr, "no BuildKit answers") {
		t.Errorf("the base image has moved, and nothing was built anew:\n%s", moved.Stderr)
	}
}

// What CI has signed counts on a laptop: for what is wanted below build/, the checks alone.
func TestChecksThatPassedElsewhereAreLeftOut(t *testing.T) {
	s := newShop(t, "alpha")
	s.job(s.key).slipway(t, "image:push", "alpha").Exits(t, 0)
	laptop := in(s.Dir, "REGISTRY="+s.reg.Host+"/group", s.trusted)
	got := laptop.slipway(t, "build:service", "alpha").Exits(t, 0)
	states := readRecord(t, s.Repo).states(t, "alpha")
	if states["lint alpha"] != "reused" || states["test alpha"] != "reused" || states["build alpha"] == "reused" || states["image alpha"] == "reused" {
		t.Errorf("the steps ended as %v", states)
	}
	if want := "lint and test passed at commit " + s.Head()[:8]; !strings.Contains(got.Stderr, want) {
		t.Errorf("stderr does not say %q:\n%s", want, got.Stderr)
	}
	img, _ := image(t, s.Repo, "alpha")
	if digest(t, img) != digest(t, pulled(t, s.reg.Host+"/group/alpha:"+strings.Fields(got.Stdout)[1], authn.Anonymous)) {
		t.Error("the image that was built here is not the one that CI pushed")
	}
	if read(t, s.Dir, "build", "alpha") == "" {
		t.Error("there is no binary")
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "build", "reports", "alpha.junit.xml")); !os.IsNotExist(err) {
		t.Errorf("there is a report of tests that did not run here: %v", err)
	}
	laptop.slipway(t, "build:service", "alpha", "-noReuse=true").Exits(t, 0)
	if state := readRecord(t, s.Repo).states(t, "alpha")["test alpha"]; state == "reused" {
		t.Error("-noReuse=true left the tests out")
	}
	s.Write("services/alpha/main.go", strings.ReplaceAll(mainGo, "NAME", "dirty"))
	s.reg.Forget()
	if states := func() map[string]string {
		laptop.slipway(t, "build:service", "alpha").Exits(t, 0)
		return readRecord(t, s.Repo).states(t, "alpha")
	}(); states["test alpha"] == "reused" {
		t.Error("uncommitted changes were taken for what had passed")
	}
	for _, q := range s.reg.Requests() {
		if strings.Contains(q.Path, "inputs-") {
			t.Errorf("uncommitted changes, and the registry was asked: %s", q)
		}
	}
}

// Any job of a merge request may push. Whatever it puts in an entry's place, the service is
// built, and why is said.
func TestPoisonedEntries(t *testing.T) {
	s := newShop(t, "alpha", "beta")
	s.job(s.key).slipway(t, "image:push", "alpha,beta").Exits(t, 0)
	tag, other := s.entry(t, "alpha"), s.entry(t, "beta")
	image := s.reg.Host + "/group/alpha"
	keys, err := registry.LoadKeys(t.TempDir(), nil)
	must(t, err)
	c := registry.NewClient(keys)
	good, err := c.Entry(t.Context(), image, tag)
	must(t, err)
	foreign, err := c.Entry(t.Context(), s.reg.Host+"/group/beta", other)
	must(t, err)
	trusted, err := reuse.ParsePublic(strings.TrimPrefix(s.trusted, "SLIPWAY_TRUSTED_KEYS="))
	must(t, err)
	entry, _, err := reuse.Open(t.Context(), good, trusted)
	must(t, err)
	mine, err := reuse.ParsePrivate(secret.New(strings.TrimPrefix(s.key, "SLIPWAY_SIGNING_KEY=")))
	must(t, err)
	strangers, _, err := reuse.Generate()
	must(t, err)
	stranger, err := reuse.ParsePrivate(strangers)
	must(t, err)
	sealed := func(by *reuse.PrivateKey, change func(*reuse.Entry)) []byte {
		e := *entry
		change(&e)
		out, err := e.Seal(t.Context(), by)
		must(t, err)
		return out
	}
	same := func(*reuse.Entry) {}
	evil, err := random.Image(100, 3)
	must(t, err)
	must(t, remote.Write(tagOf(t, image, "evil"), evil))
	named := strings.Replace(string(decoded(t, good)), strings.TrimPrefix(entry.Digest, "sha256:"), strings.TrimPrefix(digest(t, evil), "sha256:"), 1)

	want := s.job(s.trusted).slipway(t, "image:push", "alpha").Exits(t, 0) // nothing is wrong yet
	if strings.Contains(want.Stderr, "ignored") || !strings.Contains(want.Stderr, "nothing is run") {
		t.Fatalf("the entry as it was signed does not count:\n%s", want.Stderr)
	}
	for _, attack := range []struct {
		name     string
		envelope []byte
		says     string
	}{
		{"unsigned", []byte(fmt.Sprintf(`{"payloadType":"application/vnd.in-toto+json","payload":%q,"signatures":[]}`, payload(t, good))), "it is not signed"},
		{"signed by a stranger", sealed(stranger, same), "it is signed by no key that is trusted here"},
		{"another digest under the old signature", withPayload(t, good, []byte(named)), "does not match what it says"},
		{"truncated", good[:len(good)/2], "it is damaged"},
		{"of another service", foreign, `it is about the service "beta"`},
		{"of other inputs", sealed(mine, func(e *reuse.Entry) { e.Inputs = "inputs-" + strings.Repeat("0", 64) }), "it is about other inputs"},
		{"of another plan", sealed(mine, func(e *reuse.Entry) { e.Plan++ }), "it was made by plans of version"},
		{"of another platform", sealed(mine, func(e *reuse.Entry) { e.Platform = "linux/s390x" }), `it is about the platform "linux/s390x"`},
		{"without tests", sealed(mine, func(e *reuse.Entry) { e.Checks = []string{"build", "lint"} }), "it does not say that test passed"},
		{"no layers of that config", sealed(mine, func(e *reuse.Entry) { e.Digest = digest(t, evil) }), "the image config lists 2 layers and the manifest 3"},
		{"an image that is gone", sealed(mine, func(e *reuse.Entry) { e.Digest = "sha256:" + strings.Repeat("0", 64) }), "is not in the registry any more"},
		{"too large", bytes.Repeat([]byte("x"), reuse.MaxEnvelope+1), "it is larger than 1024 KiB"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			must(t, c.WriteEntry(t.Context(), image, tag, attack.envelope))
			builtAnew(t, s, want, attack.says)
		})
	}
	t.Run("an image in its place", func(t *testing.T) {
		must(t, remote.Write(tagOf(t, image, tag), evil))
		builtAnew(t, s, want, "is ignored: it is of another kind")
	})
}

// builtAnew pushes alpha and wants the result of an honest build, and a reason for it.
func builtAnew(t *testing.T, s *shop, want result, says string) {
	t.Helper()
	got := s.job(s.trusted).slipway(t, "image:push", "alpha").Exits(t, 0)
	if got.Stdout != want.Stdout || !strings.Contains(got.Stderr, says) {
		t.Errorf("stdout is\n%s, want\n%s, and stderr, which is to say %q, is\n%s", got.Stdout, want.Stdout, says, got.Stderr)
	}
	for step, state := range readRecord(t, s.Repo).states(t, "alpha") {
		if state == "reused" {
			t.Errorf("%s was reused", step)
		}
	}
}

func tagOf(t testing.TB, image, tag string) name.Tag {
	t.Helper()
	ref, err := name.NewTag(image + ":" + tag)
	must(t, err)
	return ref
}

// payload is an envelope's, in base64.
func payload(t testing.TB, envelope []byte) string {
	t.Helper()
	var e struct{ Payload string }
	must(t, json.Unmarshal(envelope, &e))
	return e.Payload
}

func decoded(t testing.TB, envelope []byte) []byte {
	t.Helper()
	var e struct{ Payload []byte }
	must(t, json.Unmarshal(envelope, &e))
	return e.Payload
}

func withPayload(t testing.TB, envelope, body []byte) []byte {
	t.Helper()
	m := map[string]any{}
	must(t, json.Unmarshal(envelope, &m))
	m["payload"] = body
	out, err := json.Marshal(m)
	must(t, err)
	return out
}

// Without keys, what was built on this machine counts on it, and nowhere else.
func TestWhatWasBuiltHereCountsHere(t *testing.T) {
	s := newShop(t, "alpha")
	laptop := in(s.Dir, "REGISTRY="+s.reg.Host+"/group")
	laptop.slipway(t, "image:push", "alpha").Exits(t, 0)
	tag := s.rebase(3)
	if got := laptop.with(dead).slipway(t, "image:push", "alpha").Exits(t, 0); !strings.HasPrefix(got.Stdout, "alpha "+tag+" sha256:") || !strings.Contains(got.Stderr, "on this machine") {
		t.Errorf("stdout is %q, and stderr\n%s", got.Stdout, got.Stderr)
	}
	for what, other := range map[string]call{
		"another machine": laptop.with(dead, "SLIPWAY_CACHE="+t.TempDir()),
		"a CI job here":   s.job(dead),
	} {
		if got := other.slipway(t, "image:push", "alpha").Exits(t, 1); !strings.Contains(got.Stderr, "no BuildKit answers") {
			t.Errorf("it counted for %s:\n%s", what, got.Stderr)
		}
	}
	found, err := filepath.Glob(filepath.Join(cache, "reuse", "*", "inputs-*.json"))
	must(t, err)
	for _, f := range found { // somebody who may write there, and does not have the key
		if read(t, f) != "" && strings.Contains(string(decoded(t, []byte(read(t, f)))), s.reg.Host+"/group/alpha") {
			must(t, os.WriteFile(f, withPayload(t, []byte(read(t, f)), []byte("{}")), 0o600))
		}
	}
	if got := laptop.with(dead).slipway(t, "image:push", "alpha").Exits(t, 1); !strings.Contains(got.Stderr, "the record of what was built here is ignored: ") {
		t.Errorf("a record that somebody has edited is not said to be:\n%s", got.Stderr)
	}
}

// A Docker daemon pushes from a store of its own, and what its images were before their stamp
// is not to be had: they get another tag all the same.
func TestWhatDockerPushedGetsAnotherTag(t *testing.T) {
	reg := testregistry.Start(t, testregistry.Options{})
	daemon := dockerd.Start(t, dockerd.Options{HostNetwork: true})
	r := box(t)
	private, _, err := reuse.Generate()
	must(t, err)
	c := in(r.Dir, "CI=true", "REGISTRY="+reg.Host, "SLIPWAY_SIGNING_KEY="+private.Reveal())
	c.with("SLIPWAY_ENGINE=docker", "DOCKER_HOST="+daemon.Host).slipway(t, "image:push", "box").Exits(t, 0)
	r.Write("services/box/app.txt", "another\n")
	r.Commit("Say another thing", later(3))
	r.Write("services/box/app.txt", "app\n")
	tag := later(4).Format("20060102_") + r.Commit("Take it back", later(4))[:8]
	got := c.with(dead).slipway(t, "image:push", "box").Exits(t, 0)
	img := pulled(t, reg.Host+"/box:"+tag, authn.Anonymous)
	must(t, validate.Image(img))
	config, err := img.ConfigFile()
	must(t, err)
	if got.Stdout != "box "+tag+" "+digest(t, img)+"\n" || !slices.Contains(config.Config.Env, "VERSION="+tag) || !config.Created.Equal(later(4)) {
		t.Errorf("stdout is %q, and the image says %v, %s", got.Stdout, config.Config.Env, config.Created)
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
	for _, q := range s.reg.Writes() {
		if strings.Contains(q.Path, "inputs-") {
			t.Errorf("it wrote %s", q)
		}
	}
}

func TestUnprotectedBranchesDoNotSign(t *testing.T) {
	s := newShop(t, "alpha")
	got := s.job(s.key, "GITLAB_CI=true", "CI_COMMIT_REF_PROTECTED=false").slipway(t, "image:push", "alpha").Exits(t, 0)
	if !strings.Contains(got.Stderr, "what was built is not signed: this job has SLIPWAY_SIGNING_KEY, and its branch is not protected (CI_COMMIT_REF_PROTECTED=false)") {
		t.Errorf("stderr is\n%s", got.Stderr)
	}
	for _, q := range s.reg.Writes() {
		if strings.Contains(q.Path, "inputs-") {
			t.Errorf("it wrote %s", q)
		}
	}
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
