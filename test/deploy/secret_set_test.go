package deploy

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"slipway/test/vault"
)

// TestSecretSet sets secrets from everywhere that they may come from, and looks at what the
// containers get.
func TestSecretSet(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	names := []string{"piped", "echoed", "certificate", "exact", "variable", "vaulted", "drawn"}
	manifest := stack(service("web", "good", "secrets: ["+strings.Join(names, ", ")+", own]")) + "secrets:\n  own: {file: ./dev/own}\n"
	for _, n := range names {
		manifest += "  " + n + ": {external: true, name: repo-dev-" + n + "}\n"
	}
	k.repo.Write("manifests/dev/own", canary+" of the manifest")
	k.manifest(t, "dev", manifest)
	server := vault.Start(t, vault.Options{Token: "t0ken-0f-tests", V2: map[string]map[string]map[string]any{"secret": {"shop": {"password": canary + " of Vault\n"}}}})
	k.hide("t0ken-0f-tests")

	k.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "secret repo-dev-piped", "secret:set")
	k.run("", nil, "secret:list", "dev").Exits(t, 0).Says(t, "MISSING: secret:set dev repo-dev-piped", "made by the next deploy")

	pem := "-----BEGIN CERTIFICATE-----\n" + canary + "\n-----END CERTIFICATE-----\n"
	k.repo.Write("secret.pem", pem)
	for _, c := range []struct {
		name, stdin string
		flags, env  []string
		want, says  string
	}{
		{"piped", canary + " bare", nil, nil, canary + " bare", "repo_dev: created the secret repo-dev-piped\n"},
		{"echoed", canary + " line\n", nil, nil, canary + " line", "its line end was left out (-exact=true keeps it)"},
		{"exact", canary + " line\n", []string{"-exact=true"}, nil, canary + " line\n", "created"},
		{"certificate", "", []string{"-file=secret.pem"}, nil, pem, "created"},
		{"variable", "", []string{"-env=VALUE"}, []string{"VALUE=" + canary + " of a variable"}, canary + " of a variable", "created"},
		{"vaulted", "", []string{"-from=vault://secret/shop#password"}, []string{"VAULT_ADDR=" + server.Address, "VAULT_TOKEN=t0ken-0f-tests"}, canary + " of Vault\n", "created"},
	} {
		k.run(c.stdin, c.env, append([]string{"secret:set", "dev", c.name}, c.flags...)...).Exits(t, 0).Says(t, c.says)
	}
	shown := k.quiet("", nil, "secret:generate", "dev", "drawn", "-length=40", "-alphabet=a-f_", "-show=true").Exits(t, 0)
	value := strings.TrimSuffix(shown.Stdout, "\n")
	k.hide(value)
	if !regexp.MustCompile(`^[a-f_]{40}$`).MatchString(value) || strings.Contains(shown.Stderr, value) {
		t.Errorf("the generated value is shown as %q, and on stderr there is\n%s", shown.Stdout, shown.Stderr)
	}

	k.run("", nil, "deploy:env", "dev").Exits(t, 0)
	for name, want := range map[string]string{
		"piped": canary + " bare", "echoed": canary + " line", "exact": canary + " line\n", "certificate": pem,
		"variable": canary + " of a variable", "vaulted": canary + " of Vault\n", "drawn": value, "own": canary + " of the manifest",
	} {
		k.has("repo_dev_web", name, want)
	}

	// One that the manifest does not have is named literally.
	k.run(canary, nil, "secret:set", "dev", "elsewhere").Exits(t, 0).Says(t, "the manifest of dev has no secret elsewhere")
	if r := k.run("", nil, "secret:generate", "dev", "pipd"); !strings.Contains(r.Stderr, "is piped meant?") || strings.Count(r.Stdout, "\n") != 1 {
		t.Errorf("generating a secret of a misspelt name says\n%s%s", r.Stdout, r.Stderr)
	}
	var all []struct {
		Name, Secret    string
		Version         int
		Wanted, Missing bool
		FromManifest    bool
		UsedBy          []struct{ Service, Path string }
	}
	must(t, json.Unmarshal([]byte(k.run("", nil, "secret:list", "dev", "-json=true").Exits(t, 0).Stdout), &all))
	got := map[string]string{}
	for _, s := range all {
		got[strings.TrimPrefix(s.Name, "repo-dev-")] = s.Secret
		if literal := s.Name == "elsewhere" || s.Name == "pipd"; s.Wanted == literal || s.Missing || (len(s.UsedBy) == 0) != literal {
			t.Errorf("secret:list has %+v", s)
		}
	}
	if len(got) != len(names)+3 || got["piped"] != "repo-dev-piped" || got["elsewhere"] != "elsewhere" {
		t.Errorf("secret:list has %v", slices.Sorted(maps.Keys(got)))
	}

	// The stack goes; what was set stays, what the manifest made does not.
	k.run("", nil, "deploy:remove", "dev", "-yes=true").Exits(t, 0)
	k.wantSecrets("elsewhere pipd repo-dev-certificate repo-dev-drawn repo-dev-echoed repo-dev-exact repo-dev-piped repo-dev-variable repo-dev-vaulted")
}

// Each wrong input gives its sentence, and nothing is written.
func TestSecretBadInput(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	k.manifest(t, "dev", stack(service("web", "good"))+"secrets: {there: {external: true}, made: {file: ./dev/made}}\n")
	k.repo.Write("manifests/dev/made", "made")
	k.repo.Write("big", strings.Repeat("x", 500<<10))
	k.repo.Write("empty", "")
	k.run(canary, nil, "secret:set", "dev", "there").Exits(t, 0)
	before := k.versions(t)
	for _, c := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"it is there", canary, []string{"secret:set", "dev", "there"}, 2, "there is a secret there already, and a secret never changes: replace it, and roll the services that use it, with secret:rotate dev there"},
		{"generated over one", "", []string{"secret:generate", "dev", "there"}, 2, "secret:rotate dev there"},
		{"the manifest's own", canary, []string{"secret:set", "dev", "made"}, 2, "comes from the manifest of dev itself"},
		{"nothing piped", "", []string{"secret:set", "dev", "new"}, 2, "nothing came on standard input"},
		{"a line end alone", "\n", []string{"secret:set", "dev", "new"}, 2, "the value is empty"},
		{"an empty file", "", []string{"secret:set", "dev", "new", "-file=empty"}, 2, "the value is empty"},
		{"too large", "", []string{"secret:set", "dev", "new", "-file=big"}, 2, "the value has 512000 bytes"},
		{"too large a pipe", strings.Repeat(canary, 40000), []string{"secret:set", "dev", "new"}, 2, "has to have less than 512000"},
		{"no such file", "", []string{"secret:set", "dev", "new", "-file=none"}, 2, "none: there is no such file"},
		{"no such variable", "", []string{"secret:set", "dev", "new", "-env=NONE"}, 2, "the environment variable NONE is not set"},
		{"a value for a name", "", []string{"secret:set", "dev", "new", "-env=p@ss"}, 2, "that -env names is not set"},
		{"two sources", "", []string{"secret:set", "dev", "new", "-env=A", "-file=b"}, 2, "-file, -env each say where the value comes from"},
		{"no reference", "", []string{"secret:set", "dev", "new", "-from=password"}, 2, "what -from names is no reference"},
		{"no Vault", "", []string{"secret:set", "dev", "new", "-from=vault://a/b#c"}, 2, "set VAULT_ADDR"},
		{"a bad name", "", []string{"secret:set", "dev", "-file=x"}, 2, "names come first"},
		{"a name that Swarm refuses", "", []string{"secret:set", "dev", "a/b"}, 2, "is no secret's name"},
		{"no such environment", canary, []string{"secret:set", "stage", "new"}, 2, `there is no environment "stage"`},
		{"a bad length", "", []string{"secret:generate", "dev", "new", "-length=0"}, 2, "write a number above zero"},
		{"a huge length", "", []string{"secret:generate", "dev", "new", "-length=5000"}, 2, "at most 4096"},
		{"a bad alphabet", "", []string{"secret:generate", "dev", "new", "-alphabet=z-a"}, 2, "-alphabet: the range z-a"},
		{"nothing to rotate", canary, []string{"secret:rotate", "dev", "new"}, 2, "there is no secret new to be replaced: make it with secret:set dev new"},
		{"two sources of a rotation", "", []string{"secret:rotate", "dev", "there", "-generate=true", "-file=big"}, 2, "-generate=true makes one: keep one"},
		{"a length without generate", canary, []string{"secret:rotate", "dev", "there", "-length=9"}, 2, "add -generate=true"},
		{"a service without a command", canary, []string{"secret:rotate", "dev", "there", "-service=web"}, 2, "-service says where -command runs"},
		{"a command for nobody", canary, []string{"secret:rotate", "dev", "there", "-command=true"}, 2, "no service that uses the secret there looks like a database"},
		{"a command for no service", canary, []string{"secret:rotate", "dev", "there", "-command=true", "-service=none"}, 2, "repo_dev has no such service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.run(c.stdin, nil, c.args...).Exits(t, c.code).Says(t, c.says)
			if after := k.versions(t); !maps.Equal(before, after) {
				t.Errorf("something was written: %v", after)
			}
		})
	}
}

// What a variable names by reference is found, and known to be secret from then on.
func TestSecretReferences(t *testing.T) {
	k := keepSecrets(t, newBed(t))
	var key string
	for i, e := range k.env {
		if v, ok := strings.CutPrefix(e, "SSH_KEY="); ok {
			key, k.env[i] = v, "SSH_KEY=vault://secret/deploy#ssh"
		}
	}
	server := vault.Start(t, vault.Options{Token: "t0ken-0f-tests", V1: map[string]map[string]map[string]any{"secret": {
		"deploy": {"ssh": key, "password": canary + " of the registry", "value": canary + " of a variable"},
	}}})
	vaultEnv := []string{"VAULT_ADDR=" + server.Address, "VAULT_TOKEN=t0ken-0f-tests", "DEV_REGISTRY_USER=anna", "DEV_REGISTRY_PASSWORD=vault://secret/deploy#password"}
	k.hide("t0ken-0f-tests")
	k.repo.Write("manifests/dev/host", "db.example.com\n")
	k.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {variables: {HOST: 'file://manifests/dev/host', VALUE: 'vault://secret/deploy#value'}}}\n")
	k.manifest(t, "dev", stack(service("web", "good", "secrets: [value]"))+"secrets: {value: {environment: VALUE}}\n")
	k.run("", vaultEnv, "deploy:env", "dev").Exits(t, 0)
	k.has("repo_dev_web", "value", canary+" of a variable")
	for _, where := range []string{"environment: {A: '${VALUE}'}", "command: [sh, -c, 'echo ${VALUE}']", "labels: {a: 'x${VALUE}'}", "environment: {HOST: '${HOST}'}"} {
		k.manifest(t, "dev", stack(service("web", "good", where)))
		k.run("", vaultEnv, "deploy:lint", "dev").Exits(t, 2).Says(t, "secret, and everybody who may list services could read it")
	}
	k.run("", append(vaultEnv, "VAULT_TOKEN=w4ong"), "deploy:env", "dev").Exits(t, 2).Says(t, "SSH_KEY is vault://secret/deploy#ssh: Vault at "+server.Address+" does not let this token read")
	k.run("", append(vaultEnv, "SSH_KEY=file://"+filepath.Join(t.TempDir(), "none")), "deploy:env", "dev").Exits(t, 2).Says(t, "SSH_KEY is file://", "there is no such file")
}
