package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/dockerd"
	"slipway/test/registry"
)

// Each environment has a lock of its own: both deploys hold theirs at the same time, and both
// end well.
func TestTwoEnvironmentsAreDeployedSideBySide(t *testing.T) {
	b := newBed(t)
	envs := []string{"one", "two"}
	for _, env := range envs {
		b.manifest(t, env, stack(service("web", "good")))
		b.slipway(t, "deploy:env", env).Exits(t, 0)
	}
	// The first stays in its update, with its lock, until it is allowed to become healthy.
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	waiting := strings.Replace(service("web", "good2", "volumes: ['"+dir+":/gate:ro']"), "[ $$MODE != sick ]", "[ -e /gate/open ]", 1)
	waiting = strings.Replace(waiting, "retries: 2", "retries: 1000", 1)
	b.manifest(t, "one", stack(waiting))
	b.manifest(t, "two", stack(service("web", "good2")))
	first := b.start(t, nil, "deploy:env", "one", "-timeout=90s")
	eventually(t, "the first one waits for its update", func() bool { return first.Ended() || b.state(t).Service("repo_one_web").UpdateStatus != nil })
	b.slipway(t, "deploy:env", "one").Exits(t, 5).Says(t, "is locked by anna@")
	b.slipway(t, "deploy:env", "two").Exits(t, 0).Says(t, "repo_two release 2: done")
	if first.Ended() {
		t.Fatalf("the first deploy did not wait:\n%s", first.Stderr.String())
	}
	must(t, os.WriteFile(filepath.Join(dir, "open"), nil, 0o644))
	first.wait(t).Exits(t, 0).Says(t, "repo_one release 2: done")
	for _, env := range envs {
		b.runs(t, "repo_"+env+"_web", "good2")
		b.slipway(t, "deploy:status", env, "-detailedExitcode=true").Exits(t, 0).Says(t, "release 2", "all is as released")
	}
}

// Both at once, from their first deploys on: what one makes never shows up in the other's way.
func TestTwoFirstDeploysAtOnce(t *testing.T) {
	b := newBed(t)
	envs := []string{"one", "two"}
	b.repo.Write("manifests/one/file", "of one\n")
	b.repo.Write("manifests/two/file", "of two\n")
	running := map[string]*process{}
	for _, env := range envs {
		b.manifest(t, env, stack(service("web", "good", "configs: [file]"), service("other", "good"))+"configs: {file: {file: ./"+env+"/file}}\n")
	}
	for _, env := range envs {
		running[env] = b.start(t, nil, "deploy:env", env)
	}
	for _, env := range envs {
		running[env].wait(t).Exits(t, 0).Says(t, "repo_"+env+" release 1: done")
	}
	before := b.versions(t)
	for _, env := range envs {
		b.slipway(t, "deploy:env", env).Exits(t, 0).Says(t, "unchanged")
	}
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Errorf("a second deploy has written:\nbefore %v\nafter  %v", before, after)
	}
}

// A registry that wants a login: without one, or with a wrong one, nothing is written.
func TestRegistryCredentialsThatAreRefused(t *testing.T) {
	b := newBed(t)
	closed := registry.Start(t, registry.Options{Users: map[string]string{"anna": "right-password"}})
	d := dockerd.Start(t, dockerd.Options{InsecureRegistries: []string{closed.Host}})
	d.Init(t)
	b.docker = d
	b.manifest(t, "dev", stack(service("web", "good")))
	at := []string{"SERVER_HOST=local", "DOCKER_HOST=" + d.Host, "REGISTRY=" + closed.Host}
	before := b.versions(t)
	for what, login := range map[string][]string{
		"none":  nil,
		"wrong": {"REGISTRY_USER=anna", "REGISTRY_PASSWORD=wrong-password"},
	} {
		r := b.with(t, append(at, login...), "deploy:env", "dev").Exits(t, 1)
		r.Says(t, closed.Host+" refuses to show the image "+closed.Host+"/app:good: wrong or missing credentials", "set REGISTRY_USER and REGISTRY_PASSWORD")
		if strings.Contains(r.Stdout+r.Stderr, "wrong-password") {
			t.Errorf("%s: the password is shown:\n%s", what, r.Stderr)
		}
		if after := b.versions(t); !maps.Equal(before, after) {
			t.Errorf("%s: something was written: %v", what, after)
		}
	}
}

func TestAManifestThatIsMissing(t *testing.T) {
	b := newBed(t)
	before := b.versions(t)
	b.repo.Write("README.md", "nothing to deploy yet\n")
	b.commit("empty")
	b.slipway(t, "deploy:env", "dev").Exits(t, 2).Says(t, `there is no environment "dev": manifests/docker-compose.dev.yaml does not exist`)
	b.manifest(t, "prod", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 2).Says(t, "manifests/docker-compose.dev.yaml does not exist; there are prod")
	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {prod: {overrides: [manifests/more.yaml]}}\n")
	b.commit("an override that is not there")
	b.slipway(t, "deploy:env", "prod").Exits(t, 2).Says(t, "manifests/more.yaml")
	b.manifest(t, "dev", "")
	b.slipway(t, "deploy:env", "dev").Exits(t, 2).Says(t, "manifests/docker-compose.dev.yaml")
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Errorf("something was written: %v", after)
	}
}
