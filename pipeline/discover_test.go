package pipeline

import (
	"fmt"
	"strings"
	"testing"
)

const (
	mainGo  = "package main\n\nfunc main() {}\n"
	goMod   = "module example.com/shop\n\ngo 1.26.8\n"
	scratch = "FROM scratch\nARG SERVICE\nCOPY build/${SERVICE} /app\n"
)

// describe is one line a service: where its main package, Dockerfile and context are.
func describe(r *Repo) string {
	var out []string
	for _, s := range r.Services {
		out = append(out, fmt.Sprintf("%s main=%s dockerfile=%s context=%s", s.Name, s.Main, s.Dockerfile, s.Context))
	}
	return lines(out)
}

func TestDiscover(t *testing.T) {
	for _, c := range []struct {
		about string
		files files
		want  string
	}{
		{"main in the directory, the default Dockerfile, the module at the root",
			files{"go.mod": goMod, "services/ping/main.go": mainGo, "services/Dockerfile": scratch},
			"ping main=services/ping dockerfile=services/Dockerfile context=services"},
		{"an own Dockerfile wins over the default, the module is in services/",
			files{"services/go.mod": goMod, "services/ping/main.go": mainGo, "services/Dockerfile": scratch, "services/ping/Dockerfile": scratch},
			"ping main=services/ping dockerfile=services/ping/Dockerfile context=services"},
		{"a go.mod beside the Dockerfile makes the directory its context",
			files{"services/ping/go.mod": goMod, "services/ping/main.go": mainGo, "services/ping/Dockerfile": scratch},
			"ping main=services/ping dockerfile=services/ping/Dockerfile context=services/ping"},
		{"so does a .dockerignore",
			files{"go.mod": goMod, "services/web/.dockerignore": "*.md\n", "services/web/Dockerfile": scratch},
			"web main= dockerfile=services/web/Dockerfile context=services/web"},
		{"neither does for the default Dockerfile",
			files{"services/ping/go.mod": goMod, "services/ping/.dockerignore": "x\n", "services/ping/main.go": mainGo, "services/Dockerfile": scratch},
			"ping main=services/ping dockerfile=services/Dockerfile context=services"},
		{"main in cmd/NAME, others beside it",
			files{"go.mod": goMod, "services/ping/cmd/ping/main.go": mainGo, "services/ping/cmd/tool/main.go": mainGo},
			"ping main=services/ping/cmd/ping dockerfile= context=services"},
		{"the only main below cmd/",
			files{"go.mod": goMod, "services/ping/cmd/server/main.go": mainGo, "services/ping/cmd/lib/lib.go": "package lib\n"},
			"ping main=services/ping/cmd/server dockerfile= context=services"},
		{"a Dockerfile alone, and no default one for what has no binary",
			files{"services/web/Dockerfile": scratch, "services/Dockerfile": scratch, "services/docs/index.html": "hi\n"},
			"web main= dockerfile=services/web/Dockerfile context=services"},
		{"libraries, tests, other platforms and ignored files are no service",
			files{
				"go.mod": goMod, "services/Dockerfile": scratch, "services/shared/lib.go": "package shared\n",
				"services/tests/main_test.go": "package main\n", "services/win/main_windows.go": mainGo, "services/gen/main.go": "//go:build ignore\n\n" + mainGo,
				"services/README.md": "services\n", "services/UPPER/main.go": mainGo,
			}, ""},
		{"a main file that does not parse is still one: the compiler reports it",
			files{"go.mod": goMod, "services/ping/main.go": "package main\n\nfunc main() {\n"},
			"ping main=services/ping dockerfile= context=services"},
		{"sorted by name",
			files{"go.mod": goMod, "services/a-b/main.go": mainGo, "services/a/main.go": mainGo, "services/a.b/main.go": mainGo},
			"a main=services/a dockerfile= context=services\na-b main=services/a-b dockerfile= context=services\na.b main=services/a.b dockerfile= context=services"},
		{"services at the root",
			files{"slipway.yaml": "services_dir: .\n", "go.mod": goMod, "ping/main.go": mainGo, "Dockerfile": scratch, ".github/Dockerfile": scratch},
			"ping main=ping dockerfile=Dockerfile context=."},
		{"overrides",
			files{
				"slipway.yaml": "services: {ping: {main: ./cmd/pinger, dockerfile: docker/ping.Dockerfile, context: ./}}\n",
				"go.mod":       goMod, "services/ping/doc.go": "package ping\n", "cmd/pinger/main.go": mainGo, "docker/ping.Dockerfile": scratch,
			},
			"ping main=cmd/pinger dockerfile=docker/ping.Dockerfile context=."},
		{"an override chooses among several mains",
			files{"slipway.yaml": "services: {ping: {main: services/ping/cmd/b}}\n", "go.mod": goMod, "services/ping/cmd/a/main.go": mainGo, "services/ping/cmd/b/main.go": mainGo},
			"ping main=services/ping/cmd/b dockerfile= context=services"},
		{"manifests alone", files{"docker-compose.dev.yaml": "services: {}\n"}, ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			if got := describe(c.files.repo(t)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestDiscoverSaysWhatIsWrong(t *testing.T) {
	ping := files{"go.mod": goMod, "services/ping/main.go": mainGo}
	for _, c := range []struct {
		files files
		want  string
	}{
		{files{"services/ping/cmd/a/main.go": mainGo, "services/ping/cmd/b/main.go": mainGo},
			"service ping has several main packages (services/ping/cmd/a, services/ping/cmd/b): name one in slipway.yaml, as services: {ping: {main: services/ping/cmd/a}}"},
		{ping.with(files{"slipway.yaml": "services: {ping: {main: services/pong}}\n"}), "slipway.yaml: services.ping.main: there is no main package in services/pong"},
		{ping.with(files{"slipway.yaml": "services: {ping: {dockerfile: Dockerfile}}\n"}), "slipway.yaml: services.ping.dockerfile: there is no file Dockerfile that git knows"},
		{ping.with(files{"slipway.yaml": "services: {ping: {context: images}}\n"}), "slipway.yaml: services.ping.context: there is no directory images with files that git knows"},
		{ping.with(files{"slipway.yaml": "services: {pong: {image: x}}\n"}), `slipway.yaml: services: there is no service "pong": did you mean ping?`},
		{ping.with(files{"slipway.yaml": "registri: x\n"}), `slipway.yaml:1: unknown key "registri": did you mean "registry"?`},
	} {
		_, err := Discover(c.files.tree(), "example", linux)
		says(t, err, c.want)
	}
}

func TestServiceSaysWhatIsThere(t *testing.T) {
	r := files{"go.mod": goMod, "services/ping/main.go": mainGo, "services/pong/main.go": mainGo, "services/docs/index.html": "hi\n"}.repo(t)
	for name, want := range map[string]string{
		"ping":       "",
		"pign":       `there is no service "pign": did you mean ping?`,
		"kubernetes": `there is no service "kubernetes": there are ping, pong`,
		"docs":       "services/docs is no service: it has neither a main package nor a Dockerfile (files that git ignores do not count)",
		"-json":      `"-json" is a flag where a service's name belongs: names come first, flags after them`,
	} {
		_, err := r.Service(name)
		says(t, err, want)
	}
	_, err := files{"README.md": "x"}.repo(t).Service("ping")
	says(t, err, `there is no service "ping": no directory of services/ has a main package or a Dockerfile that git knows`)
}

func TestTheProjectIsNamedByItsSettingsThenByItsDirectory(t *testing.T) {
	if got := (files{"a": "a"}).repo(t).Project; got != "example" {
		t.Errorf("without settings the project is %q", got)
	}
	if got := (files{"slipway.yaml": "project: shop\n"}).repo(t).Project; got != "shop" {
		t.Errorf("with settings the project is %q", got)
	}
}

func TestTree(t *testing.T) {
	tree := files{"a/b.txt": "1", "a/b/c": "2", "a/b-c/d": "3", "top": "4"}.tree()
	for dir, want := range map[string]string{".": "a top", "a": "b b-c b.txt", "a/b": "c", "top": "", "nowhere": ""} {
		if got := strings.Join(tree.List(dir), " "); got != want {
			t.Errorf("%s has %q, want %q", dir, got, want)
		}
	}
	if got := strings.Join(tree.Below("a/b"), " "); got != "a/b/c" {
		t.Errorf("below a/b: %s", got)
	}
	if tree.IsDir("a/b.txt") || !tree.IsDir("a/b-c") || tree.Has("a/b") || !tree.Has("a/b.txt") {
		t.Error("files and directories are mixed up")
	}
}
