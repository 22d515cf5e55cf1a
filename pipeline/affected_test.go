package pipeline

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// changesBetween are what differs in b from a; contents are their own names.
func changesBetween(a, b files) []Change {
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if is, there := b[name]; !there || is != a[name] {
			out = append(out, Change{Path: name, Was: a[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, there := a[name]; !there {
			out = append(out, Change{Path: name})
		}
	}
	return out
}

func content(id string) ([]byte, error) { return []byte(id), nil }

// told is what a person is told of the changes that made after of before.
func told(t testing.TB, before, after files, name string) string {
	t.Helper()
	var out []string
	for _, c := range after.inputs(t, name).Changed(changesBetween(before, after), content) {
		out = append(out, c.Path+": "+c.Kind)
		for _, l := range c.Lines {
			out = append(out, "  "+l)
		}
	}
	return lines(out)
}

func TestWhatHasChanged(t *testing.T) {
	requires := goMod + "\nrequire (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0\n)\n"
	using := shop.with(files{"go.mod": requires, "services/ping/main.go": importing("main", "example.org/a")})
	vendored := files{
		"go.mod": requires, "services/ping/main.go": importing("main", "example.org/a"), "vendor/example.org/a/a.go": "package a\n", "vendor/example.org/b/b.go": "package b\n",
		"vendor/modules.txt": "# example.org/a v1.0.0\n## explicit; go 1.20\nexample.org/a\n# example.org/b v1.0.0\n## explicit\nexample.org/b\n",
	}
	raised := func(file string) string {
		return strings.ReplaceAll(file, "example.org/b v1.0.0", "example.org/b v1.1.0")
	}
	for _, c := range []struct {
		about         string
		before, after files
		want          string
	}{
		{"each input under its name",
			shop, shop.with(files{
				"services/ping/config.toml": "x = 2\n", "shared/a/a_test.go": "package a\n\n// more\n", "shared/a/schema.md": "# more\n", ".golangci.yml": "version: 2\n", "services/Dockerfile": scratch + "USER 1\n",
				"go.mod": "module example.com/shop\n\ngo 1.26.9\n", "slipway.yaml": "services: {ping: {args: {A: b}}}\n", "README.md": "no input\n",
			}),
			`.golangci.yml: lint configuration
services/Dockerfile: Dockerfile
services/ping/config.toml: file of the service
shared/a/a_test.go: package shared/a
shared/a/schema.md: package shared/a
go.mod: Go version, and what is said of modules in this repository
  - go 1.26.8
  - toolchain go1.26.8
  + go 1.26.9
  + toolchain go1.26.9
slipway.yaml: settings of ping
  + args: A: "b"`},
		{"what is gone, and what wins by being there", shop.with(files{"services/ping/gone.txt": "x\n"}), shop.with(files{"services/ping/Dockerfile": scratch}),
			"services/ping/gone.txt: file of the service\nservices/ping/Dockerfile: Dockerfile"},
		{"what no longer wins", shop.with(files{"services/ping/Dockerfile": scratch, "go.work": "go 1.26.8\nuse .\n", "services/Dockerfile.dockerignore": "build\n", ".golangci.json": "{}\n"}), shop,
			".golangci.json: lint configuration\ngo.work: module file\nservices/ping/Dockerfile: Dockerfile\nservices/Dockerfile.dockerignore: patterns for what is copied\n  - build\n  + **/*.md"},
		{"requirements, of a service that uses none of them", shop.with(files{"go.mod": requires}), shop.with(files{"go.mod": raised(requires), "go.sum": "others\n"}), ""},
		{"requirements, of one that uses some", using, using.with(files{"go.mod": raised(requires) + "\n// a comment\n"}),
			"go.mod: requirements, Go version\n  - require example.org/b v1.0.0\n  + require example.org/b v1.1.0"},
		{"an order and comments", using, using.with(files{"go.mod": goMod + "\nrequire example.org/b v1.0.0 // indirect\n\nrequire example.org/a v1.0.0\n\nretract v1.0.0\n"}), ""},
		{"a requirement of a vendored module that others use", vendored, vendored.with(files{"go.mod": raised(requires), "vendor/modules.txt": raised(vendored["vendor/modules.txt"]), "vendor/example.org/b/b.go": "package b // more\n"}), ""},
		{"a vendor directory that no longer fits", vendored, vendored.with(files{"go.mod": raised(requires)}), "go.mod: vendored packages in use\n"},
		{"a source for another system", shop.with(files{"shared/a/a_windows.go": "package a\n"}), shop.with(files{"shared/a/a_windows.go": "package a\n\n// more\n", "shared/a/gen.go": "//go:build ignore\n\npackage main\n"}), ""},
		{"a source that was for another system", shop.with(files{"shared/a/b.go": "//go:build windows\n\npackage a\n"}), shop.with(files{"shared/a/b.go": "package a\n"}), "shared/a/b.go: package shared/a"},
		{"a source that is now for another system", shop.with(files{"shared/a/b.go": "package a\n"}), shop.with(files{"shared/a/b.go": "//go:build windows\n\npackage a\n"}), "shared/a/b.go: package shared/a"},
		{"a pattern for another's files", shop, shop.with(files{"services/.dockerignore": "**/*.md\nweb/node_modules\n"}), ""},
		{"a module file that linters read", shop.with(files{".golangci.yml": "linters: {enable: [gomoddirectives]}\n"}),
			shop.with(files{".golangci.yml": "linters: {enable: [gomoddirectives]}\n", "go.mod": goMod + "// more\n"}), "go.mod: module file"},
	} {
		t.Run(c.about, func(t *testing.T) {
			got := told(t, c.before, c.after, "ping")
			if strings.HasSuffix(c.want, "\n") { // the contents that follow are hashes
				got, _, _ = strings.Cut(got, "\n  ")
				got += "\n"
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestReuseTag(t *testing.T) {
	in := shop.inputs(t, "web")
	if _, ok := in.ReuseTag(nil); ok {
		t.Error("there is a tag, though nobody knows what nginx holds")
	}
	one, ok := in.ReuseTag(map[string]string{"nginx": "sha256:1"})
	other, _ := in.ReuseTag(map[string]string{"nginx": "sha256:2"})
	if !ok || one == other || !floatingTag.MatchString(one) {
		t.Errorf("tags %q and %q", one, other)
	}
	pinned := shop.with(files{"services/web/Dockerfile": "FROM nginx@sha256:" + strings.Repeat("a", 64) + "\n"}).inputs(t, "web")
	if _, ok := pinned.ReuseTag(nil); !ok {
		t.Error("a base that is named by its digest needs to be asked for")
	}
}

// pool are paths, and contents that they may have, where something of each kind changes what a
// service is made of.
var pool = func() (out []struct {
	path     string
	contents []string
}) {
	add := func(path string, contents ...string) {
		out = append(out, struct {
			path     string
			contents []string
		}{path, contents})
	}
	imports := func(pkg string) []string {
		return []string{
			importing(pkg), importing(pkg, "example.com/shop/shared/b"), importing(pkg, "example.org/lib", "example.com/shop/shared/c"), importing(pkg, "example.org/x"),
			"//go:build windows\n\n" + importing(pkg, "example.com/shop/shared/c"), "package " + pkg + "\n\nimport _ \"embed\"\n\n//go:embed static *.sql\nvar S string\n",
		}
	}
	require := "\nrequire (\n\texample.org/x v1.0.0\n\texample.org/y v1.0.0\n)\n"
	list := "# example.org/x v1.0.0\n## explicit\nexample.org/x\n# example.org/y v1.0.0\n## explicit\nexample.org/y\n"
	add("services/ping/main.go", importing("main"), importing("main", "example.com/shop/shared/a"), importing("main", "example.org/lib"), importing("main", "example.org/x", "example.com/shop/shared/a"))
	add("services/ping/x_test.go", importing("main_test", "example.com/shop/shared/c"), importing("main"))
	add("services/pong/cmd/pong/main.go", importing("main", "example.com/shop/shared/b"), importing("main"))
	for _, pkg := range []string{"a", "b", "c"} {
		add("shared/"+pkg+"/"+pkg+".go", imports(pkg)...)
		add("shared/"+pkg+"/"+pkg+"_test.go", importing(pkg+"_test", "example.com/shop/shared/c"), importing(pkg))
		add("shared/"+pkg+"/other.go", imports(pkg)...)
		for _, f := range []string{"static/x", "static/.x", "static/deep/_y", "q.sql", "notes.md", "testdata/in"} {
			add("shared/"+pkg+"/"+f, "1\n", "2\n")
		}
	}
	add("shared/b/go.mod", "module example.com/shop/shared/b\n", "module b\n")
	add("lib/go.mod", "module example.org/lib\n", "module example.org/lib\n\ngo 1.22\n", "module example.org/lib\n\nrequire example.org/y v1.0.0\n")
	add("lib/lib.go", imports("lib")...)
	add("lib/lib_test.go", importing("lib", "example.com/shop/shared/a"))
	add("go.mod", goMod, goMod+require, goMod+require+"// more\n", goMod+"\nrequire example.org/x v1.1.0\n", goMod+"\nreplace example.org/lib => ./lib\n", goMod+require+"\nreplace example.org/lib => ./lib\n", "module example.com/shop\n\ngo 1.16\n")
	add("go.sum", "a\nb\n", "b\na\n", "c\n")
	add("go.work", "go 1.26.8\nuse .\n")
	add("vendor/modules.txt", list, strings.ReplaceAll(list, "y v1.0.0", "y v1.1.0"), "# example.org/x v1.1.0\n## explicit\nexample.org/x\n")
	add("vendor/example.org/x/x.go", importing("x"), importing("x", "example.org/y"))
	add("vendor/example.org/y/y.go", importing("y"), importing("y")+"// more\n")
	add("services/Dockerfile", scratch, "FROM scratch\nCOPY . /\n")
	add("services/ping/Dockerfile", scratch, "FROM scratch\nCOPY ping/conf ping/*.txt /\n")
	add("services/ping/.dockerignore", "*.md\n", "conf\n")
	add("services/ping/conf", "1\n", "-> ../../conf", "-> a.txt", "-> nowhere")
	add("services/ping/a.txt", "1\n", "2\n")
	add("services/ping/README.md", "1\n", "2\n")
	add("conf", "1\n", "2\n")
	add("services/.dockerignore", "**/*.md\n", "web/b*\n", "web\n!web/public\n", "ping/a.txt\n")
	add("services/Dockerfile.dockerignore", "x\n", "ping\n")
	add("services/web/Dockerfile", "FROM nginx\nCOPY web/public web/*.conf /\n", "FROM nginx\nCOPY web /\n")
	for _, f := range []string{"web/public/a", "web/public/b.md", "web/b.conf", "pong/go.mod"} {
		add("services/"+f, "module x\n", "module y\n")
	}
	add(".golangci.yml", "a: 1\n", "linters: {default: all}\n")
	add("services/ping/.golangci.json", "{}\n")
	add("slipway.yaml", "project: shop\n", "services: {ping: {args: {A: b}}}\n", "toolchain: golang:1.26\n", "services: {ping: {dockerfile: services/web/Dockerfile}}\n")
	return out
}()

// drafted are the hashes of the services' inputs; false where the repository cannot be planned.
func drafted(f files) (map[string]*Inputs, bool) {
	r, err := Discover(f.tree(), "example", linux)
	if err != nil {
		return nil, false
	}
	out := map[string]*Inputs{}
	for i := range r.Services {
		d, err := r.Draft(&r.Services[i], request())
		if err != nil {
			return nil, false
		}
		out[r.Services[i].Name] = d.Inputs()
	}
	return out, true
}

// mutate changes one to three files.
func mutate(random *rand.Rand, f files) files {
	out := f.with(nil)
	for range 1 + random.IntN(3) {
		p := pool[random.IntN(len(pool))]
		if random.IntN(3) == 0 {
			delete(out, p.path)
			continue
		}
		out[p.path] = p.contents[random.IntN(len(p.contents))]
	}
	return out
}

// A service is affected by changes exactly where the hash of its inputs is another one: what
// the rules say of a change is what reading both states whole says.
func oneChange(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	before := files{}
	for _, p := range pool {
		if random.IntN(2) == 0 {
			before[p.path] = p.contents[random.IntN(len(p.contents))]
		}
	}
	for step := range 40 {
		after := mutate(random, before)
		was, ok := drafted(before)
		is, fine := drafted(after)
		if fine && ok {
			changes := changesBetween(before, after)
			for name, in := range is {
				old, there := was[name]
				if !there {
					continue
				}
				causes := in.Changed(changes, content)
				if (len(causes) > 0) != (in.Hash != old.Hash) {
					var what []string
					for _, c := range changes {
						what = append(what, fmt.Sprintf("%s: %q, was %q", c.Path, after[c.Path], c.Was))
					}
					t.Fatalf("seed %d, step %d: %s: other hash: %v, changed: %v\n%s\n\n%s", seed, step, name, in.Hash != old.Hash, causes, lines(what), listing(after))
				}
			}
		}
		if fine || !ok {
			before = after
		}
	}
}

func listing(f files) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out = append(out, fmt.Sprintf("%s: %q", name, f[name]))
	}
	return lines(out)
}

func TestAffectedIsWhereTheHashDiffers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seeds from %d on", seed)
	for i := range uint64(60) {
		oneChange(t, seed+i)
	}
}

func FuzzAffectedIsWhereTheHashDiffers(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed)
	}
	f.Fuzz(oneChange)
}
