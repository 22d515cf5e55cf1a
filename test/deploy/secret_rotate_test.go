package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// picky is a service that runs well with any value of the secret tls but bad ones.
func picky(name string, more ...string) string {
	return strings.Replace(service(name, "good", append(more, "secrets: [tls]")...), "[ $$MODE != sick ]", "! grep -q unusable /run/secrets/tls", 1)
}

// TestSecretRotate takes a secret through its life: both of its services go to each new value
// together, later deploys stay with it, and a value that does not work is taken back.
func TestSecretRotate(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	k.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {retention: 1}}\n")
	text := stack(picky("web"), picky("api"), service("other", "good")) + "secrets: {tls: {external: true, name: repo-tls}}\n"
	k.manifest(t, "dev", text)
	k.run(canary+" 1", nil, "secret:set", "dev", "tls").Exits(t, 0)
	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	k.has("repo_dev_web", "tls", canary+" 1")

	other, web := k.running(t, "repo_dev_other"), k.running(t, "repo_dev_web")
	k.run(canary+" 2", nil, "secret:rotate", "dev", "tls").Exits(t, 0).Says(t, "repo_dev release 2: done", "web ", "api ")
	for _, s := range []string{"repo_dev_web", "repo_dev_api"} {
		k.has(s, "tls", canary+" 2")
	}
	if now := k.running(t, "repo_dev_other"); !maps.Equal(other, now) {
		t.Errorf("the tasks of a service without the secret were %v and are %v", other, now)
	}
	if now := k.running(t, "repo_dev_web"); maps.Equal(web, now) {
		t.Error("a service with the secret has its old tasks")
	}

	// The manifest's name means the new value from now on.
	before := k.versions(t)
	k.run("", nil, "deploy:plan", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "nothing to change")
	k.run("", nil, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	k.run("", nil, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "all is as released")
	if after := k.versions(t); !maps.Equal(before, after) {
		t.Errorf("a deploy after a rotation has written:\nbefore %v\nafter  %v", before, after)
	}

	// By its name in the Swarm, generated. The first version is no longer what any service
	// would go back to, nor in a kept release.
	shown := k.quiet("", nil, "secret:rotate", "dev", "repo-tls", "-generate=true", "-length=50", "-show=true").Exits(t, 0)
	value := regexp.MustCompile(`(?m)^[A-Za-z0-9]{50}$`).FindString(shown.Stdout)
	k.hide(value)
	k.has("repo_dev_api", "tls", value)
	k.wantSecrets("repo-tls_v2 repo-tls_v3")
	k.run("", nil, "secret:list", "dev").Exits(t, 0).Says(t, "repo-tls  repo-tls_v3", "api, web", "old: repo-tls_v2")
	k.run(canary, nil, "secret:set", "dev", "tls").Exits(t, 2).Says(t, "there is a secret repo-tls already (as repo-tls_v3)")

	// A value that does not work.
	k.run(canary+" unusable", nil, "secret:rotate", "dev", "tls").Exits(t, 3).Says(t, "removed secret repo-tls_v4", "the old value of repo-tls is in effect: mend the cause and rotate again", "release 4: rolled back")
	k.has("repo_dev_web", "tls", value)
	k.has("repo_dev_api", "tls", value)
	k.wantSecrets("repo-tls_v2 repo-tls_v3")
	k.run("", nil, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
}

// A secret that no service uses yet gets its new value with the next deploy.
func TestSecretRotateOfAnUnusedSecret(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	k.manifest(t, "dev", stack(service("web", "good", "secrets: [tls]"))+"secrets: {tls: {external: true}}\n")
	k.run(canary+" 1", nil, "secret:set", "dev", "tls").Exits(t, 0)
	k.run(canary+" 2", nil, "secret:rotate", "dev", "tls").Exits(t, 0).Says(t, "the next deploy takes this version")
	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	k.has("repo_dev_web", "tls", canary+" 2")
	k.wantSecrets("tls_v2")
}

// Two rotations at once: the one that had to wait would roll a release that is no longer the
// last one, and writes nothing that stays.
func TestTwoSecretRotationsAtOnce(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	gate := t.TempDir()
	must(t, os.Chmod(gate, 0o755))
	k.manifest(t, "dev", stack(service("web", "good", "secrets: [tls]", "volumes: ['"+gate+":/gate:ro']"))+"secrets: {tls: {external: true}}\n")
	k.run(canary+" 1", nil, "secret:set", "dev", "tls").Exits(t, 0)
	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	k.env = append(k.env, "VALUE="+canary+" 2")
	first := k.start(t, nil, "secret:rotate", "dev", "tls", "-env=VALUE", "-service=web", "-command=until [ -e /gate/open ]; do sleep 0.1; done")
	eventually(t, "the first one has the lock", func() bool { return first.Ended() || strings.Contains(first.Stderr.String(), "telling") })
	second := k.start(t, nil, "secret:rotate", "dev", "tls", "-generate=true", "-wait=5m")
	eventually(t, "the second one waits", func() bool { return second.Ended() || strings.Contains(second.Stderr.String(), "waiting for the lock") })
	must(t, os.WriteFile(filepath.Join(gate, "open"), nil, 0o644))
	first.wait(t).Exits(t, 0)
	second.wait(t).Exits(t, 6).Says(t, "another deploy or rotation has ended while this one waited")
	k.has("repo_dev_web", "tls", canary+" 2")
	k.wantSecrets("tls_v2")
}
