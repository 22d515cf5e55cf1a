package manifest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy/manifest"
)

func load(t *testing.T, o manifest.Options) *manifest.Manifest {
	t.Helper()
	m, found := manifest.Load(o)
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

const twoServices = `
services:
  ping: {image: "${REGISTRY}/ping:${TAG}"}
  pong: {image: "${REGISTRY}/games/pong:${TAG}"}
  fixed: {image: "${REGISTRY}/fixed:1.2.3"}
  nginx: {image: nginx}
`

func images(m *manifest.Manifest) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m.Project.Services)) {
		out = append(out, name+"="+m.Project.Services[name].Image)
	}
	return strings.Join(out, " ")
}

func TestTagIsTheServicesOwn(t *testing.T) {
	o := options(twoServices)
	o.Tag = func(image string) (string, bool) {
		tag, ok := map[string]string{"ping": "20240725_4605cc6e", "games/pong": "20240101_00000000", "fixed": "never"}[image]
		return tag, ok
	}
	want := "fixed=registry.example.com/fixed:1.2.3 nginx=nginx ping=registry.example.com/ping:20240725_4605cc6e pong=registry.example.com/games/pong:20240101_00000000"
	if got := images(load(t, o)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTagOfTheDeploy(t *testing.T) {
	o := options(twoServices)
	o.Vars["TAG"] = "all"
	want := "fixed=registry.example.com/fixed:1.2.3 nginx=nginx ping=registry.example.com/ping:all pong=registry.example.com/games/pong:all"
	if got := images(load(t, o)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// For one deploy, a tag is given by service or by image, and wins over a literal one.
func TestImageForOneDeploy(t *testing.T) {
	o := options(twoServices)
	o.Images = map[string]string{"ping": "a", "games/pong": "b", "fixed": "c", "nginx": "1.27"}
	want := "fixed=registry.example.com/fixed:c nginx=nginx:1.27 ping=registry.example.com/ping:a pong=registry.example.com/games/pong:b"
	if got := images(load(t, o)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	o.Images = map[string]string{"ping": "a", "pong": "b", "pnig": "c", "fixed": "no/tag"}
	wantFindings := `manifests/m.yaml: error: a tag is given for pnig, but nothing here is called so; name a service of the manifest or its image
manifests/m.yaml:5: error: services.fixed.image: "no/tag" cannot be this image's tag; a tag has letters, digits, _, . and -, 128 at most
`
	if got := manifest.Lint(o).String(); got != wantFindings {
		t.Errorf("got\n%s", got)
	}
}

// A registry with a port is no tag, and a digest is kept.
func TestImageNames(t *testing.T) {
	o := options(`
services:
  port: {image: "localhost:5000/a/b"}
  digest: {image: "a@sha256:` + strings.Repeat("a", 64) + `"}
`)
	o.Images = map[string]string{"port": "x", "digest": "y"}
	if got, want := images(load(t, o)), "digest=a:y port=localhost:5000/a/b:x"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestEnvironment(t *testing.T) {
	m := load(t, options(`
services:
  web:
    image: example/web
    env_file: web.env
    environment: {BOTH: environment, KNOWN: , UNKNOWN: , EMPTY: "", DOLLAR: "$$x", QUOTED: "${KNOWN}", NUMBER: 1e3}
`))
	var got []string
	env := m.Project.Services["web"].Environment
	for _, k := range slices.Sorted(maps.Keys(env)) {
		if env[k] == nil {
			got = append(got, k)
		} else {
			got = append(got, k+"="+*env[k])
		}
	}
	want := "BAD= BOTH=environment DOLLAR=$x EMPTY= FROM_FILE=known KNOWN=known NUMBER=1000 QUOTED=known UNKNOWN"
	if strings.Join(got, " ") != want {
		t.Errorf("got %s", got)
	}
}

// What a variable brings in stays text where text is wanted, and becomes a number where one is.
func TestTypesOfVariables(t *testing.T) {
	o := options(`
services:
  web:
    image: example/web
    privileged: "${NO}"
    labels: {a: "${NO}", b: "${NUMBER}"}
    deploy: {replicas: "${NUMBER}", resources: {limits: {cpus: "${CPUS}", memory: "${MEMORY}"}}}
    ports: [{target: 80, published: "${NUMBER}"}]
`)
	o.Vars = map[string]string{"NO": "false", "NUMBER": "3", "CPUS": "0.1", "MEMORY": "64M"}
	m := load(t, o)
	s := m.Project.Services["web"]
	limit, _ := m.CPUs("web")
	if s.Labels["a"] != "false" || s.Labels["b"] != "3" || *s.Deploy.Replicas != 3 || limit != 100_000_000 ||
		s.Deploy.Resources.Limits.MemoryBytes != 64<<20 || s.Ports[0].Published != "3" {
		t.Errorf("%+v, %d nano-CPUs", s, limit)
	}
}

func TestCPUsAreExact(t *testing.T) {
	for text, want := range map[string]int64{`"0.1"`: 100_000_000, `0.1`: 100_000_000, `"0.7"`: 700_000_000, `2`: 2_000_000_000,
		`"1.123456789"`: 1_123_456_789, `".5"`: 500_000_000, `1.10`: 1_100_000_000} {
		m := load(t, options("services: {web: {image: a, deploy: {resources: {limits: {cpus: "+text+"}}}}}"))
		if got, _ := m.CPUs("web"); got != want {
			t.Errorf("cpus: %s are %d nano-CPUs, want %d", text, got, want)
		}
	}
}

// Overrides are merged in order, and the place of a value is the file that set it last.
func TestOverrides(t *testing.T) {
	m := load(t, options("services:\n  web:\n    image: example/web:1\n    hostname: one\n",
		"services:\n  web:\n    image: example/web:2\n", "services:\n  web:\n    user: me\n"))
	s := m.Project.Services["web"]
	if s.Image != "example/web:2" || s.Hostname != "one" || s.User != "me" {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		path string
		file string
		line int
	}{
		{"services.web.image", "manifests/over.yaml", 3},
		{"services.web.hostname", "manifests/m.yaml", 4},
		{"services.web.user", "manifests/third.yaml", 3},
		{"services.web.user.nothing", "manifests/third.yaml", 3},
		{"services.other.image", "manifests/third.yaml", 1},
		{"volumes", "manifests/m.yaml", 0},
	} {
		if file, line := m.Place(strings.Split(c.path, ".")...); file != c.file || line != c.line {
			t.Errorf("%s is at %s:%d, want %s:%d", c.path, file, line, c.file, c.line)
		}
	}
}

func TestMissingFile(t *testing.T) {
	o := options("services: {web: {image: a}}")
	o.Files = append(o.Files, "manifests/docker-compose.nowhere.yaml")
	want := "manifests/docker-compose.nowhere.yaml: error: there is no such file; each environment has a manifest of its own: write it, or check the environment's name\n"
	if got := manifest.Lint(o).String(); got != want {
		t.Errorf("got %s", got)
	}
	if got, want := manifest.Lint(manifest.Options{FS: fstest.MapFS{}, Project: "a", Env: "b"}).String(),
		"error: there is no manifest to load; name the environment's manifest\n"; got != want {
		t.Errorf("got %s", got)
	}
}

// Manifests at the repository's root work, too.
func TestManifestAtTheRoot(t *testing.T) {
	o := options()
	o.FS = fstest.MapFS{"m.yaml": {Data: []byte("services: {web: {image: a}}\nconfigs: {c: {file: ./x}}\n")}, "x": {Data: []byte("y")}}
	o.Files = []string{"m.yaml"}
	if c := load(t, o).Configs["c"]; c.Data.Reveal() != "y" {
		t.Errorf("%+v", c)
	}
}

func TestProjectNames(t *testing.T) {
	o := options("services: {web: {image: a}}")
	o.Project, o.Env = "PROJECT-NAME", ""
	want := `error: "PROJECT-NAME" cannot be the name of a project; use lower-case letters, digits, - and _, with a letter or a digit first
error: the environment's name is empty
`
	if got := manifest.Lint(o).String(); got != want {
		t.Errorf("got %s", got)
	}
}
