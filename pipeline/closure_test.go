package pipeline

import (
	"sort"
	"testing"
)

// importing is Go source of a package that imports others.
func importing(pkg string, imports ...string) string {
	s := "package " + pkg + "\n\n"
	for _, i := range imports {
		s += "import _ \"" + i + "\"\n"
	}
	if pkg == "main" {
		s += "\nfunc main() {}\n"
	}
	return s
}

func TestGoClosure(t *testing.T) {
	shop := files{"go.mod": goMod, "services/ping/main.go": importing("main", "fmt", "example.com/shop/shared/a")}
	for _, c := range []struct {
		about string
		files files
		want  string // packages, then module files
	}{
		{"what is imported, and what that imports; nothing else",
			shop.with(files{
				"shared/a/a.go": importing("a", "example.com/shop/shared/b"), "shared/b/b.go": "package b\n", "shared/c/c.go": "package c\n",
				"services/pong/main.go": mainGo, "go.sum": "sums\n",
			}),
			"services/ping\nshared/a\nshared/b\ngo.mod\ngo.sum"},
		{"imports of tests, external ones and those of shared packages too",
			shop.with(files{
				"services/ping/x_test.go": importing("main", "example.com/shop/internal/fake"), "services/ping/y_test.go": importing("main_test", "example.com/shop/internal/real"),
				"internal/fake/f.go": "package fake\n", "internal/real/r.go": "package real\n",
				"shared/a/a.go": "package a\n", "shared/a/a_test.go": importing("a_test", "example.com/shop/shared/testing"), "shared/testing/t.go": "package testing\n",
			}),
			"internal/fake\ninternal/real\nservices/ping\nshared/a\nshared/testing\ngo.mod"},
		{"embeds, with the imports of only the files for this platform",
			shop.with(files{
				"shared/a/a.go":         "package a\n\nimport _ \"embed\"\n\n//go:embed all:static *.sql \"with space\"\nvar S string\n",
				"shared/a/a_windows.go": importing("a", "example.com/shop/shared/win"), "shared/win/w.go": "package win\n",
				"shared/a/tagged.go": "//go:build integration\n\n" + importing("a", "example.com/shop/shared/tagged"), "shared/tagged/t.go": "package tagged\n",
				"shared/a/cgo.go": "package a\n\nimport \"C\"\nimport _ \"example.com/shop/shared/withc\"\n", "shared/withc/w.go": "package withc\n",
				"shared/a/gen.go": "//go:build ignore\n\npackage main\n\nimport _ \"example.com/shop/shared/gen\"\n", "shared/gen/g.go": "package gen\n",
			}),
			"services/ping\nshared/a *.sql all:static with space\nshared/withc\ngo.mod"},
		{"packages beside main, but not in testdata, vendor, hidden directories or nested modules",
			files{
				"go.mod": goMod, "services/ping/main.go": mainGo, "services/ping/api/api.go": "package api\n",
				"services/ping/testdata/t.go": importing("t", "example.com/shop/no"), "services/ping/_old/o.go": "package old\n", "services/ping/.hidden/h.go": "package h\n",
				"services/ping/tools/go.mod": "module tools\n", "services/ping/tools/t.go": "package tools\n", "no/no.go": "package no\n",
			},
			"services/ping\nservices/ping/api\ngo.mod"},
		{"a nested module is a stranger",
			shop.with(files{"shared/a/go.mod": "module example.com/shop/shared/a\n", "shared/a/a.go": "package a\n"}),
			"services/ping\ngo.mod"},
		{"unless it is replaced by its path, under whatever name",
			shop.with(files{
				"go.mod":          goMod + "\nreplace example.com/shop/shared/a => ./shared/a\n\nreplace example.org/other => ./third/party\n",
				"shared/a/go.mod": "module example.com/forked\n", "shared/a/go.sum": "sums\n", "shared/a/a.go": importing("a", "example.org/other/sub"),
				"third/party/go.mod": "module example.org/renamed\n\nreplace example.org/x => ../../../outside\n", "third/party/sub/s.go": "package sub\n", "third/party/other/o.go": "package other\n",
			}),
			"services/ping\nshared/a\nthird/party/sub\ngo.mod\nshared/a/go.mod\nshared/a/go.sum\nthird/party/go.mod"},
		{"a service with a module of its own",
			files{"services/ping/go.mod": "module ping\n\nreplace example.com/shared => ../../shared\n", "services/ping/main.go": importing("main", "example.com/shared"),
				"shared/go.mod": "module example.com/shared\n", "shared/shared.go": "package shared\n", "go.mod": goMod},
			"services/ping\nshared\nservices/ping/go.mod\nshared/go.mod"},
		{"go.work, with its own replacements",
			files{
				"go.work":              "go 1.26.8\n\nuse (\n\t./services/ping\n\t./shared\n\t./unused\n)\n\nreplace example.org/other => ./other\n",
				"services/ping/go.mod": "module ping\n", "services/ping/main.go": importing("main", "example.com/shared", "example.org/other"),
				"shared/go.mod": "module example.com/shared\n", "shared/shared.go": "package shared\n", "unused/go.mod": "module unused\n", "unused/u.go": "package unused\n",
				"other/go.mod": "module example.org/other\n", "other/o.go": "package other\n",
			},
			"other\nservices/ping\nshared\ngo.work\nother/go.mod\nservices/ping/go.mod\nshared/go.mod\nunused/go.mod"},
		{"imports in a circle end, and are the compiler's to report",
			shop.with(files{"shared/a/a.go": importing("a", "example.com/shop/shared/b"), "shared/b/b.go": importing("b", "example.com/shop/shared/a")}),
			"services/ping\nshared/a\nshared/b\ngo.mod"},
		{"so is a file that does not parse; what is read of it counts",
			shop.with(files{"shared/a/a.go": "package a\n\nfunc {\n", "shared/a/z.go": importing("a", "example.com/shop/shared/b"), "shared/b/b.go": "package b\n"}),
			"services/ping\nshared/a\nshared/b\ngo.mod"},
		{"so is an import of nothing", shop, "services/ping\ngo.mod"},
	} {
		t.Run(c.about, func(t *testing.T) {
			got, err := c.files.tree().goClosure("services/ping", "services/ping", "linux", "amd64")
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range got.Packages {
				line := p.Dir
				for _, e := range p.Embeds {
					line += " " + e
				}
				out = append(out, line)
			}
			sort.Strings(got.Files)
			if out = append(out, got.Files...); lines(out) != c.want {
				t.Errorf("got\n%s\nwant\n%s", lines(out), c.want)
			}
		})
	}
}

func TestAMainPackageElsewhereIsPartOfTheService(t *testing.T) {
	f := files{
		"slipway.yaml": "services: {ping: {main: cmd/pinger}}\n", "go.mod": goMod, "services/Dockerfile": scratch,
		"cmd/pinger/main.go": importing("main", "example.com/shop/shared/a"), "shared/a/a.go": "package a\n",
		"services/ping/config.toml": "x = 1\n",
	}
	p := f.plan(t, "ping")
	if got, want := lines(p.Source("ping").Files), "cmd/pinger/main.go\ngo.mod\nservices/ping/config.toml\nshared/a/a.go"; got != want {
		t.Errorf("the check sees\n%s\nwant\n%s", got, want)
	}
	if got, want := p.Step("ping/build").Run.Args[len(p.Step("ping/build").Run.Args)-1], "./cmd/pinger"; got != want {
		t.Errorf("it builds %s, want %s", got, want)
	}
}

func TestTargetsAreTheOwnPackagesAndTheSharedOnesOfTheModule(t *testing.T) {
	shared := files{"shared/a/a.go": "package a\n", "services/ping/main.go": importing("main", "example.com/shop/shared/a")}
	for _, c := range []struct {
		about string
		files files
		want  string
	}{
		{"module at the root", shared.with(files{"go.mod": goMod}), "./services/ping/...\n./shared/a"},
		{"module in services/", files{"services/go.mod": goMod, "services/ping/main.go": importing("main", "example.com/shop/shared"), "services/shared/s.go": "package shared\n"},
			"./ping/...\n./shared"},
		{"module in the service", files{"services/ping/go.mod": goMod, "services/ping/main.go": mainGo}, "./..."},
		{"module below the service", files{"services/ping/go/go.mod": goMod, "services/ping/go/main.go": mainGo, "slipway.yaml": "services: {ping: {main: services/ping/go}}\n"}, "./..."},
		{"a replaced module's tests are its own affair",
			shared.with(files{"go.mod": goMod + "\nreplace example.com/shop/shared/a => ./shared/a\n", "shared/a/go.mod": "module example.com/shop/shared/a\n"}), "./services/ping/..."},
		{"no own packages", files{"go.mod": goMod, "slipway.yaml": "services: {ping: {main: cmd/ping}}\n", "cmd/ping/main.go": mainGo, "services/ping/config.toml": "x = 1\n"}, "./cmd/ping"},
	} {
		if got := lines(c.files.draft(t, "ping").targets()); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.about, got, c.want)
		}
	}
}

func TestAClosureThatCannotBeReadIsAnErrorWithItsPlace(t *testing.T) {
	ping := files{"go.mod": goMod, "services/ping/main.go": mainGo}
	for _, c := range []struct {
		files files
		want  string
	}{
		{ping.with(files{"go.mod": ""}), "services/ping has Go code, but there is no go.mod in it or above it: run `go mod init` there"},
		{ping.with(files{"go.mod": goMod + "replace x => ../elsewhere\n"}), "go.mod:4: the replacement ../elsewhere is not in this repository, so a container cannot see it"},
		{ping.with(files{"go.mod": goMod + "replace x => /usr/src/x\n"}), "go.mod:4: the replacement /usr/src/x is not in this repository, so a container cannot see it"},
		{ping.with(files{"go.work": "go 1.26.8\nuse .\nuse ./gone\n"}), "go.work:3: the module ./gone is not in this repository, so a container cannot see it"},
		{ping.with(files{"go.work": "go 1.26.8\nus .\n"}), "go.work:2: unknown directive: us"},
		{ping.with(files{"go.mod": "module x\n\nrequire y\n"}), "go.mod:3: usage: require module/path v1.2.3"},
		{ping.with(files{"services/ping/other.go": "package other\n"}), "services/ping: two packages in one directory: main (main.go) and other (other.go)"},
	} {
		_, err := c.files.tree().goClosure("services/ping", "services/ping", "linux", "amd64")
		says(t, err, c.want)
	}
}
