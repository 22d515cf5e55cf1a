package convert_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
)

// from loads a manifest, with overrides, for the stack shop_dev.
func from(t *testing.T, contents ...string) *manifest.Manifest {
	t.Helper()
	fsys := fstest.MapFS{"app.toml": {Data: []byte("a = 1\n")}}
	var files []string
	for i, c := range contents {
		name := fmt.Sprintf("m%d.yaml", i)
		fsys[name] = &fstest.MapFile{Data: []byte(c)}
		files = append(files, name)
	}
	m, found := manifest.Load(manifest.Options{FS: fsys, Files: files, Project: "shop", Env: "dev", Vars: map[string]string{"KEY": "c4n4ry"}})
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func stack(t *testing.T, m *manifest.Manifest, o convert.Options) *convert.Stack {
	t.Helper()
	s, err := convert.Convert(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Swarm restarts what differs, so what means the same has to be the same.
func TestOneMeaningOneSpec(t *testing.T) {
	a := from(t, `
services:
  web:
    image: example/web
    environment: {A: "1", B: "2"}
    cap_add: [NET_ADMIN, SYS_TIME]
    extra_hosts: ["a:10.0.0.1", "b:10.0.0.2"]
    ulimits: {nofile: 5, nproc: 6}
    ports: ["80:80", "443:443", {target: 53, published: "53", protocol: udp, mode: host}]
    networks: [front, back]
    volumes: [data:/x, logs:/y]
    configs: [one, two]
    secrets: [{source: k, target: a}, {source: k, target: b}]
    healthcheck: {test: "true", interval: 60s}
networks: {front: , back: }
volumes: {data: , logs: }
configs: {one: {file: app.toml}, two: {file: app.toml}}
secrets: {k: {external: true}}
`)
	b := from(t, `
services:
  web:
    healthcheck: {test: ["CMD-SHELL", "true"], interval: 1m}
    secrets: [{source: k, target: b}, {source: k, target: a, uid: "0", gid: "0", mode: 0444}]
    configs: [two, {source: one, target: one}]
    volumes: [{type: volume, source: logs, target: /y}]
    networks: {back: , front: }
    ports: [{target: 53, published: "53", protocol: udp, mode: host}, "443:443/tcp"]
    ulimits: {nproc: {soft: 6, hard: 6}, nofile: 5}
    extra_hosts: {b: 10.0.0.2, a: 10.0.0.1}
    cap_add: [CAP_SYS_TIME, net_admin]
    environment: [B=2, A=0]
    image: example/web
secrets: {k: {external: true}}
configs: {two: {file: ./app.toml}, one: {file: app.toml}}
volumes: {logs: {}, data: {}}
networks: {back: {}, front: {}}
`, `
services:
  web:
    environment: [A=1]
    volumes: [data:/x:rw]
    ports: ["80:80"]
`)
	if one, other := toJSON(t, stack(t, a, convert.Options{})), toJSON(t, stack(t, b, convert.Options{})); one != other {
		t.Errorf("two specs for one meaning:\n%s\n%s", one, other)
	}
}

// Converting reads a manifest and changes nothing in it.
func TestConvertTwice(t *testing.T) {
	m := golden(t)
	first := toJSON(t, stack(t, m, convert.Options{Digests: digests, API: "1.52"}))
	if second := toJSON(t, stack(t, m, convert.Options{Digests: digests, API: "1.52"})); first != second {
		t.Error("the second time gives other specs")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	s := stack(t, from(t, "services: {web: {image: a, secrets: [k]}}\nsecrets: {k: {environment: KEY}}\n"), convert.Options{})
	if s.Secrets[0].Value.Reveal() != "c4n4ry" {
		t.Error("the value is another")
	}
	if text := fmt.Sprintf("%+v %#v", s, s.Secrets) + toJSON(t, s); strings.Contains(text, "c4n4ry") {
		t.Error("printing shows the value")
	}
}

const referring = `
services:
  web:
    image: example/web
    configs: [c, theirs]
    secrets: [k]
    credential_spec: {config: c}
configs: {c: {file: app.toml}, theirs: {external: true, name: gone}}
secrets: {k: {external: true}}
`

func TestBind(t *testing.T) {
	s := stack(t, from(t, referring), convert.Options{}).Services[0]
	name := s.Spec.TaskTemplate.ContainerSpec.Configs[2].ConfigName
	before := toJSON(t, s)
	err := s.Bind(convert.IDs{Configs: map[string]string{name: "id1"}})
	if want := "service shop_dev_web uses what is not in the Swarm: config gone, secret k"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if toJSON(t, s) != before {
		t.Error("a failed Bind has changed the spec")
	}
	if err := s.Bind(convert.IDs{Configs: map[string]string{name: "id1", "gone": "id2"}, Secrets: map[string]string{"k": "id3"}}); err != nil {
		t.Fatal(err)
	}
	c := s.Spec.TaskTemplate.ContainerSpec
	got := []string{c.Configs[0].ConfigID, c.Configs[1].ConfigID, c.Configs[2].ConfigID, c.Secrets[0].SecretID, c.Privileges.CredentialSpec.Config}
	if want := "[id2 id1 id1 id3 id1]"; fmt.Sprint(got) != want {
		t.Errorf("ids %s, want %s", got, want)
	}
}

func TestImagesArePinned(t *testing.T) {
	m := from(t, `
services:
  a: {image: "nginx"}
  b: {image: "registry.example.com:5000/a/b:1"}
  c: {image: "example/c:2@`+digests["example/web:1.0"]+`"}
  d: {image: "nginx"}
`)
	if got, want := strings.Join(stack(t, m, convert.Options{}).Images(), " "), "nginx registry.example.com:5000/a/b:1"; got != want {
		t.Errorf("images to look up: %s, want %s", got, want)
	}
	sum := digests["example/migrate"]
	s := stack(t, m, convert.Options{Digests: map[string]string{"nginx": sum, "registry.example.com:5000/a/b:1": sum}})
	for i, want := range []string{"nginx:latest@" + sum, "registry.example.com:5000/a/b:1@" + sum, "example/c:2@" + digests["example/web:1.0"], "nginx:latest@" + sum} {
		if got := s.Services[i].Spec.TaskTemplate.ContainerSpec.Image; got != want {
			t.Errorf("image %s, want %s", got, want)
		}
	}
	if got := s.Services[0].Spec.Labels[convert.LabelImage]; got != "nginx" {
		t.Errorf("the label says %s", got)
	}
	_, err := convert.Convert(m, convert.Options{Digests: map[string]string{"nginx": "nonsense"}})
	want := `m0.yaml:3: services.a.image: the digest of nginx is not known, so it cannot be pinned
m0.yaml:4: services.b.image: the digest of registry.example.com:5000/a/b:1 is not known, so it cannot be pinned
m0.yaml:6: services.d.image: the digest of nginx is not known, so it cannot be pinned`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
