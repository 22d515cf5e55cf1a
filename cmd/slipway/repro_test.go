package main

import (
	"os"
	"strings"
	"testing"

	"slipway/engine"
	"slipway/engine/buildkit"
	"slipway/registry"
	"slipway/report/repro"
	"slipway/secret"
)

// What a record names does not get the passwords that this machine has for another registry.
func TestSettleKeepsPasswordsFromARecordsRegistry(t *testing.T) {
	for _, c := range []struct{ own, recorded, user string }{
		{"registry.example.com/acme", "registry.example.com/shop", "anna"},
		{"registry.example.com/acme", "", "anna"},
		{"registry.example.com/acme", "evil.example.com/acme", ""},
		{"", "evil.example.com", ""},
	} {
		for name, value := range map[string]string{"REGISTRY": c.own, "REGISTRY_USER": "anna", "REGISTRY_PASSWORD": "pass", "CI_DEPLOY_USER": "anna", "CI_DEPLOY_PASSWORD": "pass", "SLIPWAY_ENGINE": "", "SLIPWAY_TOOLCHAIN": "golang:1", "GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "PROD_NOTIFY_URL": "logger://", "CI_REGISTRY_IMAGE": "registry.example.com/ci"} {
			t.Setenv(name, value)
		}
		own := machine{registry: c.own, credentials: &registry.Credentials{User: "anna", Password: secret.New("pass")}}
		repetition{with: repro.Circumstances{Engine: "Docker 27.0", Registry: c.recorded}, recorded: &repro.Run{}}.settle(own)
		for _, name := range []string{"REGISTRY_USER", "CI_DEPLOY_USER"} {
			if got := os.Getenv(name); got != c.user {
				t.Errorf("REGISTRY %q, the record's %q: %s is %q, want %q", c.own, c.recorded, name, got, c.user)
			}
		}
		if got := firstEnv("REGISTRY", "CI_REGISTRY_IMAGE"); got != c.recorded {
			t.Errorf("the registry is %q, want %q", got, c.recorded)
		}
		if e, tc := os.Getenv("SLIPWAY_ENGINE"), os.Getenv("SLIPWAY_TOOLCHAIN"); e != "docker" || tc != "" {
			t.Errorf("the engine is %q and the toolchain %q", e, tc)
		}
		for _, v := range os.Environ() {
			if name, _, _ := strings.Cut(v, "="); name == "GITLAB_CI" || name == "CI_COMMIT_BRANCH" || name == "PROD_NOTIFY_URL" {
				t.Errorf("%s is still set", name)
			}
		}
	}
}

func TestSettingOf(t *testing.T) {
	for name, want := range map[string]string{"embedded BuildKit": "embedded", "Docker 27.0": "docker", "Dagger v0.21.8": "dagger", "BuildKit at tcp://farm:1234": "embedded", "": ""} {
		if got := settingOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// other is an engine that cannot open shells.
type other struct{ engine.Engine }

func (other) Name() string { return "Dagger v0.21.8" }

func TestOnlyBuildKitsOpenShells(t *testing.T) {
	p := &project{}
	if err := p.mayLook(other{}); err != nil {
		t.Errorf("without -shell: %v", err)
	}
	p.shell = repeating{shell: true}.terminal()
	if err := p.mayLook(&buildkit.Runner{}); err != nil {
		t.Errorf("a BuildKit: %v", err)
	}
	const want = "Dagger v0.21.8 gives no look into a failed step: for -shell=true set SLIPWAY_ENGINE=embedded, or another BuildKit's address"
	if err := p.mayLook(other{}); err == nil || err.Error() != want || exitCode(err) != exitBadInput {
		t.Errorf("got %v, want %s", err, want)
	}
}
