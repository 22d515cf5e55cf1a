package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy/manifest"
)

const objects = `
services: {web: {image: a}}
configs:
  app: {file: app.toml}
  inline: {content: "x = ${KNOWN}"}
  templated: {file: app.toml, template_driver: golang}
  theirs: {external: true}
  renamed: {external: true, name: their_name}
  ` + "a-key-that-is-so-long-that-there-is-no-room-for-a-version" + `: {file: app.toml}
secrets:
  key: {file: app.toml}
  plugged: {driver: vault, name: plugged}
`

func TestNamesOfConfigsAndSecrets(t *testing.T) {
	m := load(t, options(objects))
	for key, want := range map[string]string{
		"app": "shop_dev_app_cb78bd8a17f7", "inline": "shop_dev_inline_b37727604ae7", "templated": "shop_dev_templated_c2595998687f",
		"theirs": "theirs", "renamed": "their_name",
		"a-key-that-is-so-long-that-there-is-no-room-for-a-version": "shop_dev_a-key-that-is-so-long-that-there-is-no-roo-92bd15a9b590",
	} {
		if got := m.Configs[key].Name; got != want {
			t.Errorf("config %s is called %s, want %s", key, got, want)
		}
	}
	if got := m.Secrets["key"].Name; got != "shop_dev_key_60662b1477fd" {
		t.Errorf("secret key is called %s", got)
	}
	if text := fmt.Sprintf("%+v %#v", m.Secrets, m.Secrets); strings.Contains(text, "a = 1") {
		t.Error("printing shows a secret")
	}
}

// A version is the content's: another content, another name; the same, the same.
func TestVersionFollowsTheContent(t *testing.T) {
	names := func(content string) string {
		o := options(objects)
		o.FS.(fstest.MapFS)["manifests/app.toml"] = &fstest.MapFile{Data: []byte(content)}
		m := load(t, o)
		return m.Configs["app"].Name + " " + m.Secrets["key"].Name
	}
	first, again := names("one"), names("one")
	if first != again {
		t.Errorf("the same content has two names, %s and %s", first, again)
	}
	a, b := strings.Fields(first), strings.Fields(names("two"))
	if a[0] == b[0] || a[1] == b[1] {
		t.Errorf("two contents have one name: %s, %s", a, b)
	}
	if strings.TrimPrefix(a[0], "shop_dev_app_") == strings.TrimPrefix(a[1], "shop_dev_key_") {
		t.Error("a secret's version shows that it equals a config")
	}
}

// The convention of manifests for `docker stack deploy`.
func TestConventionForVersions(t *testing.T) {
	m := load(t, seed("prod"))
	for key, want := range map[string]string{
		"backend-config":     "project_prod_backend_config_bb891ab9cb4d00f7b52b2663ab6b5945",
		"nginx-proxy-config": "project_prod_nginx_proxy_config_cf3d134859e0aecf962eee5e27846160",
	} {
		if got := m.Configs[key].Name; got != want {
			t.Errorf("%s is called %s, want %s", key, got, want)
		}
	}
	o := options("services: {web: {image: a}}\nconfigs:\n  c: {name: \"$A_NAME_THAT_WITH_THE_MD5_OF_ITS_FILE_IS_TOO_LONG_FOR_SWARM\", file: app.toml}\n")
	if got := load(t, o).Configs["c"].Name; len(got) != 64 || !strings.HasPrefix(got, "a_name_that_with_the_md5_of_its_file_is_too_long_") {
		t.Errorf("the long name is %s", got)
	}
}

func TestSecretFromVariable(t *testing.T) {
	m, found := manifest.Load(options("services: {web: {image: a}}\nsecrets:\n  c: {environment: CANARY}\n"))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	if m.Secrets["c"].Data.Reveal() != "c4n4ry-c4n4ry" {
		t.Error("the secret has another value")
	}
	project, err := m.Project.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %+v %s", m.Secrets, found, m.Project, project); strings.Contains(text, "c4n4ry") {
		t.Error("the value is shown")
	}
}
