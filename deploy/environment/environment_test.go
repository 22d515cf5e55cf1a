package environment

import (
	"errors"
	"strings"
	"testing"
	"time"

	"slipway/pipeline"
	"slipway/secret"
)

func resolve(t *testing.T, name string, yaml string, all map[string]string) *Environment {
	t.Helper()
	settings, err := pipeline.ParseSettings([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Resolve(name, "shop", settings, all)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const settings = `
registry: registry.example.com/shop/
environments:
  prod:
    server: prod.example.com
    user: deploy
    directory: /srv/shop
    known_hosts: known_hosts
    jump: bastion.example.com
    timeout: 90s
    variables: {DOMAIN: shop.example.com, KEY: env://THE_KEY}
`

func TestSettingsOfTheFile(t *testing.T) {
	e := resolve(t, "prod", settings, nil)
	if e.Stack != "shop_prod" || e.Dir != "/srv/shop" || e.Timeout != 90*time.Second || e.Settings.Retention != 10 {
		t.Errorf("%+v", e)
	}
	if s := e.Server; s.Server != "prod.example.com" || s.User != "deploy" || s.KnownHosts != "known_hosts" || s.Jump != "bastion.example.com" {
		t.Errorf("%+v", s)
	}
	for k, want := range map[string]string{"PROJECT": "shop", "ENV": "prod", "REGISTRY": "registry.example.com/shop", "DOMAIN": "shop.example.com", "KEY": "", "TAG": ""} {
		if got := e.Variables[k]; got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	if dev := resolve(t, "dev", settings, nil); dev.Timeout != 10*time.Minute || dev.Server.Server != "" || dev.Dir != "" {
		t.Errorf("an environment that the file does not have: %+v", dev)
	}
}

func TestVariablesWinOverTheFile(t *testing.T) {
	for _, c := range []struct {
		name string
		all  map[string]string
		got  func(*Environment) string
		want string
	}{
		{"a variable", map[string]string{"SERVER_HOST": "local"}, func(e *Environment) string { return e.Server.Server }, "local"},
		{"one of the environment's own before it", map[string]string{"SERVER_HOST": "a", "PROD_SERVER_HOST": "b"}, func(e *Environment) string { return e.Server.Server }, "b"},
		{"another environment's is nothing to it", map[string]string{"DEV_SERVER_HOST": "a"}, func(e *Environment) string { return e.Server.Server }, "prod.example.com"},
		{"its own second name before the general first", map[string]string{"USER_NAME": "a", "PROD_SERVER_USER": "b"}, func(e *Environment) string { return e.Server.User }, "b"},
		{"the user's first name", map[string]string{"USER_NAME": "a", "SERVER_USER": "b"}, func(e *Environment) string { return e.Server.User }, "a"},
		{"the key", map[string]string{"SSH_PRIVATE_KEY": "k"}, func(e *Environment) string { return e.Server.Key.Reveal() }, "k"},
		{"the directory", map[string]string{"SERVER_DIR": "/x"}, func(e *Environment) string { return e.Dir }, "/x"},
		{"the registry", map[string]string{"CI_REGISTRY_IMAGE": "ci/x", "REGISTRY": "r/x"}, func(e *Environment) string { return e.Variables["REGISTRY"] }, "r/x"},
		{"GitLab's registry", map[string]string{"CI_REGISTRY_IMAGE": "ci/x"}, func(e *Environment) string { return e.Variables["REGISTRY"] }, "ci/x"},
		{"a tag for all", map[string]string{"TAG": "t"}, func(e *Environment) string { return e.Variables["TAG"] }, "t"},
		{"an empty one is none", map[string]string{"SERVER_HOST": ""}, func(e *Environment) string { return e.Server.Server }, "prod.example.com"},
	} {
		if got := c.got(resolve(t, "prod", settings, c.all)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	e := resolve(t, "eu-1.test", settings, map[string]string{"EU_1_TEST_SERVER_HOST": "x"})
	if e.Server.Server != "x" {
		t.Error("a name with - and . is not found as one with _")
	}
}

func TestReferencesAreSettledAndSecret(t *testing.T) {
	e := resolve(t, "prod", settings, nil)
	if err := e.Settle(func(r string) (secret.Value, error) { return secret.New("value of " + r), nil }); err != nil {
		t.Fatal(err)
	}
	if e.Variables["KEY"] != "value of env://THE_KEY" || len(e.Secret) != 1 || e.Secret[0].Reveal() != e.Variables["KEY"] {
		t.Errorf("%v %d", e.Variables, len(e.Secret))
	}
	err := e.Settle(func(string) (secret.Value, error) { return secret.Value{}, errors.New("it is not set") })
	if err == nil || err.Error() != "slipway.yaml: environments.prod.variables.KEY: it is not set" {
		t.Errorf("%v", err)
	}
}

func TestNoServerIsGuessed(t *testing.T) {
	err := resolve(t, "dev", settings, map[string]string{"DOCKER_HOST": "unix:///var/run/docker.sock"}).Reachable()
	if err == nil || !strings.Contains(err.Error(), "set SERVER_HOST (or DEV_SERVER_HOST)") || !strings.Contains(err.Error(), "environments.dev.server in slipway.yaml") {
		t.Errorf("%v", err)
	}
	if err := resolve(t, "prod", settings, nil).Reachable(); err != nil {
		t.Error(err)
	}
}
