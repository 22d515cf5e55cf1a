package pipeline

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"testing"
	"testing/fstest"
)

// shop is a small monorepo: ping is Go code that shares a package and takes the default
// Dockerfile, web has a Dockerfile alone.
var shop = files{
	"go.mod": goMod, "go.sum": "sums\n", ".golangci.yml": "version: \"2\"\n", "README.md": "shop\n", ".gitignore": "/build\n", "slipway.yaml": "project: shop\n",
	"services/Dockerfile": scratch, "services/.dockerignore": "**/*.md\n",
	"services/ping/main.go": importing("main", "example.com/shop/shared/a"), "services/ping/main_test.go": "package main\n", "services/ping/config.toml": "x = 1\n",
	"services/ping/README.md": "ping\n", "services/ping/testdata/in.txt": "1\n", "services/ping/run.sh": "#!/bin/sh\n",
	"shared/a/a.go": "package a\n\nimport _ \"embed\"\n\n//go:embed schema.md static\nvar S string\n", "shared/a/schema.md": "# schema\n", "shared/a/static/deep/x.css": "css\n",
	"shared/a/a_test.go": "package a\n", "shared/a/testdata/in.txt": "1\n", "shared/a/notes.md": "a\n", "shared/a/unread.txt": "1\n", "shared/a/sub/sub.go": "package sub\n",
	"services/web/Dockerfile":        "FROM nginx AS lint\nRUN true\nFROM lint AS test\nRUN true\nFROM nginx\nCOPY web/public web/*.conf /srv/\n",
	"services/web/public/index.html": "hi\n", "services/web/public/about.md": "hi\n", "services/web/site.conf": "x\n", "services/web/README.md": "web\n", "services/web/package.json": "{}\n",
	"manifests/docker-compose.dev.yaml": "services: {}\n",
}

func TestInputFiles(t *testing.T) {
	for _, c := range []struct {
		about string
		files files
		name  string
		want  []string
	}{
		{"Go code: its directory without prose, its shared packages, the lint settings, the Dockerfile", shop, "ping", []string{
			".golangci.yml", "services/Dockerfile", "services/ping/config.toml", "services/ping/main.go", "services/ping/main_test.go",
			"services/ping/run.sh", "services/ping/testdata/in.txt", "shared/a/a.go", "shared/a/a_test.go", "shared/a/schema.md", "shared/a/static/deep/x.css", "shared/a/testdata/in.txt",
		}},
		{"a Dockerfile alone: what it copies and .dockerignore lets through", shop, "web", []string{
			"services/web/Dockerfile", "services/web/public/index.html", "services/web/site.conf",
		}},
		{"of a vendor directory what is imported, and a link with what it leads to",
			files{
				"go.mod": goMod + "require example.org/x v1.0.0\n", "services/ping/main.go": importing("main", "example.org/x", "example.com/shop/lib"), "lib/l.go": "package lib\n",
				"vendor/modules.txt": "# example.org/x v1.0.0\n## explicit\nexample.org/x\nexample.org/x/y\n", "vendor/example.org/x/x.go": "package x\n", "vendor/example.org/x/LICENSE": "x\n", "vendor/example.org/x/y/y.go": "package y\n", "conf/one": "1\n", "conf/two": "2\n", "data/x": "1\n", "data/y": "2\n",
				"services/ping/conf": "-> ../../conf/one", "services/ping/data": "-> ../../data", "services/ping/loop": "-> loop", "services/ping/out": "-> ../../../etc", "services/ping/gone": "-> nowhere",
			}, "ping", []string{
				"conf/one", "data/x", "data/y", "lib/l.go", "services/ping/conf", "services/ping/data", "services/ping/gone", "services/ping/loop", "services/ping/main.go", "services/ping/out",
				"vendor/example.org/x/x.go",
			}},
		{"a link that is copied, with what it leads to in the context",
			files{"services/web/Dockerfile": "FROM scratch\nCOPY web/conf web/out /\n", "services/web/conf": "-> ../common.conf", "services/common.conf": "x\n", "services/web/out": "-> ../../secret", "secret": "x\n"},
			"web", []string{"services/common.conf", "services/web/Dockerfile", "services/web/conf", "services/web/out"}},
		{"a context of its own, with prose that is copied",
			files{"services/web/go.mod": goMod, "services/web/main.go": mainGo, "services/web/Dockerfile": "FROM golang\nCOPY . .\n", "services/web/README.md": "x\n", "services/x": "x\n"},
			"web", []string{"services/web/Dockerfile", "services/web/README.md", "services/web/go.mod", "services/web/main.go"}},
		{"no tests of a module that is replaced by its path, no sources for another system, no hidden files where a directory is embedded",
			files{
				"go.mod": goMod + "replace example.org/lib => ./lib\n", "services/ping/main.go": importing("main", "example.org/lib"), "lib/go.mod": "module example.org/lib\n",
				"lib/l.go": "package lib\n\nimport _ \"embed\"\n\n//go:embed static\nvar S string\n", "lib/l_test.go": "package lib\n", "lib/testdata/x": "x\n", "lib/l_windows.go": "package lib\n",
				"lib/static/a": "a\n", "lib/static/.b": "b\n", "lib/static/_c/d": "d\n",
			}, "ping", []string{"lib/l.go", "lib/static/a", "services/ping/main.go"}},
		{"test data with prose in it",
			files{"go.mod": goMod, "services/ping/main.go": mainGo, "services/ping/README.md": "x\n", "services/ping/testdata/in.md": "x\n"}, "ping",
			[]string{"services/ping/main.go", "services/ping/testdata/in.md"}},
		{"the lint settings that golangci-lint finds first",
			files{"go.mod": goMod, "services/ping/main.go": mainGo, ".golangci.yml": "a: 1\n", ".golangci.toml": "a = 1\n", "services/.golangci.yml": "a: 2\n"}, "ping",
			[]string{".golangci.toml", "services/ping/main.go"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			if got := lines(c.files.inputs(t, c.name).Files); got != lines(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, lines(c.want))
			}
		})
	}
}

func TestTheHashKnowsEveryInput(t *testing.T) {
	base := shop.inputs(t, "ping").Hash
	for _, f := range shop.inputs(t, "ping").Files {
		changed := shop[f] + "\n"
		if got := shop.with(files{f: changed}).inputs(t, "ping").Hash; got == base {
			t.Errorf("another %s gives the same hash", f)
		}
	}
	for about, f := range map[string]files{
		"a new file in the service": {"services/ping/new.txt": "x"},
		"a removed test file":       {"services/ping/testdata/in.txt": ""},
		"a link instead of a file":  {"services/ping/config.toml": "-> main.go"},
		"a build argument":          {"slipway.yaml": "services: {ping: {args: {A: b}}}\n"},
		"a toolchain image":         {"slipway.yaml": "toolchain: golang:1.26\n"},
		"another Go":                {"go.mod": goMod[:len(goMod)-2] + "9\n"},
		"an ignore file for it":     {"services/Dockerfile.dockerignore": "build\n"},
		"lint settings that win":    {".golangci.toml": "x = 1\n"},
		"a workspace":               {"go.work": "go 1.26.8\nuse .\n"},
	} {
		if got := shop.with(f).inputs(t, "ping").Hash; got == base {
			t.Errorf("%s gives the same hash", about)
		}
	}
	r := shop.repo(t)
	s, err := r.Service("ping")
	if err != nil {
		t.Fatal(err)
	}
	for about, change := range map[string]func(*Request){
		"a linter's release": func(q *Request) { q.Tools.Lint.Sum += "x" },
		"the linter's own Go": func(q *Request) {
			q.Tools.Lint.Mod = "module tools/lint\n\ngo 1.27.0\n\ntool example.com/golangci-lint\n"
		},
		"the test tools":    func(q *Request) { q.Tools.Test.Sum += "x" },
		"a toolchain image": func(q *Request) { q.Toolchain = "golang:1.26" },
		"another CA bundle": func(q *Request) { q.CABundle = "bundle-2" },
	} {
		req := request()
		change(&req)
		d, err := r.Draft(s, req)
		if err != nil {
			t.Fatal(err)
		}
		if d.Inputs().Hash == base {
			t.Errorf("%s gives the same hash", about)
		}
	}
}

func TestSumIsOverWhatGitKnows(t *testing.T) {
	sum := func(mode fs.FileMode, content string) string {
		tree := NewTree(fstest.MapFS{"f": &fstest.MapFile{Data: []byte(content), Mode: mode}}, []string{"f"})
		s, kind, err := tree.Sum("f")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s %.4x", kind, s)
	}
	for _, c := range []struct {
		mode          fs.FileMode
		content, want string
	}{
		{0o644, "x", "file 2d711642"}, {0o600, "x", "file 2d711642"}, {0o755, "x", "exec 2d711642"}, {0o700, "x", "exec 2d711642"},
		{fs.ModeSymlink | 0o777, "x", "link 2d711642"}, {0o644, "y", "file a1fce436"},
	} {
		if got := sum(c.mode, c.content); got != c.want {
			t.Errorf("%v %q: %s, want %s", c.mode, c.content, got, c.want)
		}
	}
}

func TestTheHashKnowsNothingElse(t *testing.T) {
	base := shop.inputs(t, "ping").Hash
	for _, f := range []string{
		"README.md", "services/ping/README.md", "shared/a/notes.md", "shared/a/unread.txt", "shared/a/sub/sub.go", "services/web/Dockerfile", "services/web/public/index.html", ".gitignore",
		"manifests/docker-compose.dev.yaml", "slipway.yaml", "go.mod", "go.sum", "services/.dockerignore",
	} {
		if got := shop.with(files{f: shop[f] + "\n"}).inputs(t, "ping").Hash; got != base {
			t.Errorf("another %s gives another hash", f)
		}
	}
	req := request()
	req.Registry, req.Source, req.Parts = "elsewhere.example.com", "https://git.example.com/fork", Parts{Test: true}
	r := shop.repo(t)
	d, err := r.Draft(&r.Services[0], req)
	if err != nil {
		t.Fatal(err)
	}
	if d.Inputs().Hash != base {
		t.Error("where the image goes, or what part of the pipeline is wanted, gives another hash")
	}
}

func TestADockerfileIsNoPartOfTheCheck(t *testing.T) {
	before, after := shop.plan(t, "ping"), shop.with(files{"services/Dockerfile": scratch + "USER 1\n"}).plan(t, "ping")
	if a, b := lines(before.Source("ping").Files), lines(after.Source("ping").Files); a != b || before.Inputs.Hash == after.Inputs.Hash {
		t.Errorf("the Dockerfile changed: the check sees\n%s\nnow\n%s", a, b)
	}
	for _, f := range before.Source("ping").Files {
		if isDockerfile(path.Base(f)) {
			t.Errorf("the check sees %s, so a change of it would run the tests again", f)
		}
	}
	if !before.Inputs.Match("services/Dockerfile") {
		t.Error("a change of the Dockerfile would leave the tag")
	}
}

func TestEmbedded(t *testing.T) {
	for _, c := range []struct {
		pattern, file string
		want          bool
	}{
		{"x.txt", "x.txt", true}, {"x.txt", "sub/x.txt", false}, {"static", "static/a/b", true}, {"static", "statics", false},
		{"*.sql", "a.sql", true}, {"*.sql", "sub/a.sql", false}, {"sub/*", "sub/a/b", true}, {"[", "[", false},
		{"static", "static/.a", false}, {"static", "static/_a/b", false}, {"all:static", "static/_a/.b", true}, {"static/*", "static/.a", true}, {"static/*", "static/a/.b", false},
	} {
		if got := embedded(c.pattern, c.file); got != c.want {
			t.Errorf("%q embeds %q: %v", c.pattern, c.file, got)
		}
	}
}

// History asks Match about any path, the plan takes Files: they must be one rule.
func TestMatchAgreesWithFiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	dirs := []string{"", "services/ping/", "services/web/", "services/", "shared/a/", "shared/a/static/", "shared/a/sub/", "vendor/x/", "services/ping/testdata/", "deep/er/"}
	names := []string{"x.go", "x_test.go", "README.md", "Dockerfile", ".dockerignore", "a.txt", "go.work", ".golangci.toml", "a file", "ü", "x.sql", "testdata/t"}
	for round := range 300 {
		f := shop.with(nil)
		for range random.IntN(12) {
			name := dirs[random.IntN(len(dirs))] + names[random.IntN(len(names))]
			if path.Base(name) == "go.work" || path.Base(name) == "Dockerfile" || path.Base(name) == ".dockerignore" {
				continue // content that means something is in the tables above
			}
			f[name] = "package " + map[bool]string{true: "main", false: "a"}[path.Dir(name) == "services/ping"] + "\n"
		}
		for _, name := range []string{"ping", "web"} {
			in := f.inputs(t, name)
			listed := exact(in.Files...)
			for file := range f {
				if in.Match(file) != listed[file] {
					t.Fatalf("round %d, %s: %q matches: %v, is listed: %v", round, name, file, in.Match(file), listed[file])
				}
			}
		}
	}
}
