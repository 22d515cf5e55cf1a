package e2e

import (
	"fmt"
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

	"slipway/reuse"
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
