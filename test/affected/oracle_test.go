package affected

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"slipway/pipeline"
)

// rebuilt is what building everything anew gives: by service a digest of its binary, of the
// test binaries and lint's input of every package that it tests, of what those tests may read,
// and of the image's context. The go command decides, not slipway.
type rebuilt struct {
	digests  map[string]string
	external map[string]bool // services that use modules from outside, without a vendor directory
	failed   bool            // something does not build
}

// goPackage is what `go list` says.
type goPackage struct {
	Dir, ImportPath, Name                            string
	GoFiles, TestGoFiles, XTestGoFiles               []string
	Imports, TestImports, XTestImports, IgnoredFiles []string
}

func (m *monorepo) rebuild(t testing.TB) rebuilt {
	t.Helper()
	r := rebuilt{digests: map[string]string{}, external: map[string]bool{}}
	packages := map[string]goPackage{}
	for _, dir := range []string{m.module, "services/s4"} {
		if m.has(path.Join(dir, "go.mod")) {
			m.compile(t, dir, packages, &r)
		} else if dir == m.module {
			r.failed = true
		}
	}
	settings, err := pipeline.ParseSettings([]byte(m.text("slipway.yaml")))
	must(t, err)
	for i := range services {
		name := fmt.Sprintf("s%d", i)
		var b strings.Builder
		if m.isGo(name) {
			m.code(&b, name, packages, &r)
		}
		m.image(t, &b, name)
		fmt.Fprintln(&b, settings.Services[name].Args)
		r.digests[name] = b.String()
	}
	return r
}

// isGo reports whether a service has a program.
func (m *monorepo) isGo(name string) bool {
	sources, err := filepath.Glob(filepath.Join(m.Dir, "services", name, "*.go"))
	return err == nil && slices.ContainsFunc(sources, func(f string) bool {
		return !strings.HasSuffix(f, "_test.go") && !strings.HasSuffix(f, "_windows.go")
	})
}

// text is a file's content, "" where there is none.
func (m *monorepo) text(file string) string {
	data, err := os.ReadFile(filepath.Join(m.Dir, file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(data)
}

// compile compiles a module's programs and tests, and lists its packages by directory.
func (m *monorepo) compile(t testing.TB, dir string, packages map[string]goPackage, r *rebuilt) {
	t.Helper()
	out := filepath.Join(m.out, strings.ReplaceAll(dir, "/", "_"))
	run := func(args ...string) bool {
		cmd := m.command("go", args...)
		cmd.Dir = filepath.Join(m.Dir, dir)
		return cmd.Run() == nil
	}
	build := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", out + "/bin/", "./..."}
	tests := []string{"test", "-c", "-vet=off", "-o", out + "/test/", "./..."}
	must(t, os.MkdirAll(out+"/bin", 0o755))
	must(t, os.MkdirAll(out+"/test", 0o755))
	failed := !run(build...) || !run(tests...)
	list := m.command("go", "list", "-e", "-json=Dir,ImportPath,Name,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	list.Dir = filepath.Join(m.Dir, dir)
	text, err := list.Output()
	if err != nil {
		r.failed = true
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		packages[p.ImportPath] = p
		all = append(all, p)
	}
	if !failed {
		for _, p := range all { // the go command leaves what it built before
			if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
				must(t, os.RemoveAll(filepath.Join(out, "test", path.Base(p.ImportPath)+".test")))
			}
			if p.Name != "main" {
				must(t, os.RemoveAll(filepath.Join(out, "bin", path.Base(p.ImportPath))))
			}
		}
		return
	}
	// One package that does not build may keep others from it: each alone, as a check has it. What
	// is there is of an earlier state.
	r.failed = true
	must(t, os.RemoveAll(out))
	must(t, os.MkdirAll(out+"/bin", 0o755))
	must(t, os.MkdirAll(out+"/test", 0o755))
	for _, p := range all {
		if p.Name == "main" {
			run(append(build[:len(build)-1:len(build)-1], p.ImportPath)...)
		}
		run(append(tests[:len(tests)-1:len(tests)-1], p.ImportPath)...)
	}
}

// code tells apart all that the checks of a service and its binary depend on.
func (m *monorepo) code(b *strings.Builder, name string, packages map[string]goPackage, r *rebuilt) {
	module := m.module
	if m.has("services/" + name + "/go.mod") {
		module = "services/" + name
	}
	out := filepath.Join(m.out, strings.ReplaceAll(module, "/", "_"))
	fmt.Fprintln(b, "binary", fileDigest(filepath.Join(out, "bin", name)))
	fmt.Fprintln(b, m.release(module))
	service := filepath.Join(m.Dir, "services", name)
	own := false
	for _, p := range m.tested(service, packages) {
		own = own || p.Dir == service
		fmt.Fprintln(b, p.ImportPath, fileDigest(filepath.Join(out, "test", path.Base(p.ImportPath)+".test")))
		for _, f := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			fmt.Fprintln(b, f, fileDigest(filepath.Join(p.Dir, f)))
		}
		treeDigest(b, filepath.Join(p.Dir, "testdata"), func(string) bool { return true })
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			r.external[name] = r.external[name] || strings.HasPrefix(imp, "example.org/")
			if imp == "example.com/lib" && !m.has(path.Join(module, "vendor/modules.txt")) {
				fmt.Fprintln(b, "lib", goLine.FindString(m.text(path.Join(m.module, "lib/go.mod"))))
			}
		}
	}
	r.external[name] = r.external[name] && !m.has(path.Join(m.module, "vendor/modules.txt"))
	if !own {
		fmt.Fprintln(b, "no package")
	}
	// A test may read what lies beside it; prose does not count, unless it is test data.
	treeDigest(b, service, func(f string) bool {
		base := path.Base(f)
		return strings.Contains("/"+f, "/testdata/") || !strings.HasSuffix(base, ".md") && base != ".dockerignore" && !strings.Contains(base, "Dockerfile")
	})
	m.lint(b, module, name)
}

var goLine = regexp.MustCompile(`(?m)^go .*$`)

func (m *monorepo) release(module string) string {
	return goLine.FindString(m.text(path.Join(module, "go.mod")))
}

// tested are the packages whose tests run for a service: its own, and those of its module that
// these use, tests included.
func (m *monorepo) tested(service string, packages map[string]goPackage) []goPackage {
	seen := map[string]bool{}
	var queue []string
	push := func(imp string) {
		if p, ok := packages[imp]; ok && !seen[imp] && len(p.GoFiles)+len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			seen[imp] = true
			queue = append(queue, imp)
		}
	}
	var names []string
	for imp := range packages {
		names = append(names, imp)
	}
	slices.Sort(names)
	for _, imp := range names {
		if p := packages[imp]; p.Dir == service || strings.HasPrefix(p.Dir, service+"/") {
			push(imp)
		}
	}
	for i := 0; i < len(queue); i++ {
		p := packages[queue[i]]
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			push(imp)
		}
	}
	slices.Sort(queue)
	var out []goPackage
	for _, imp := range queue {
		out = append(out, packages[imp])
	}
	return out
}

// lint writes the settings that golangci-lint finds: in the working directory, else from the
// service's directory upwards.
func (m *monorepo) lint(b *strings.Builder, module, name string) {
	dirs := []string{module}
	for d := path.Join("services", name); ; d = path.Dir(d) {
		if dirs = append(dirs, d); d == "." {
			break
		}
	}
	for _, d := range dirs {
		for _, ext := range []string{"json", "toml", "yaml", "yml"} {
			if f := path.Join(d, ".golangci."+ext); m.has(f) {
				fmt.Fprintln(b, f, fileDigest(filepath.Join(m.Dir, f)))
				return
			}
		}
	}
}

var copied = regexp.MustCompile(`(?m)^COPY (.*) \S+$`)

// image writes what the service's image is made of, beside its binary.
func (m *monorepo) image(t testing.TB, b *strings.Builder, name string) {
	t.Helper()
	dir := "services/" + name
	file, context := dir+"/Dockerfile", "services"
	switch {
	case m.has(file) && (m.has(dir+"/.dockerignore") || m.has(dir+"/go.mod")):
		context = dir
	case !m.has(file) && m.isGo(name):
		file = "services/Dockerfile"
	}
	if !m.has(file) {
		return
	}
	fmt.Fprintln(b, file, context, fileDigest(filepath.Join(m.Dir, file)))
	patterns, err := ignorefile.ReadAll(strings.NewReader(m.text(path.Join(context, ".dockerignore"))))
	must(t, err)
	ignore, err := patternmatcher.New(patterns)
	must(t, err)
	takes := func(f string) bool {
		ignored, err := ignore.MatchesOrParentMatches(f)
		must(t, err)
		return !ignored
	}
	for _, c := range copied.FindAllStringSubmatch(m.text(file), -1) {
		for _, p := range strings.Fields(c[1]) {
			p = strings.ReplaceAll(p, "${SERVICE}", name)
			matches, err := filepath.Glob(filepath.Join(m.Dir, context, p))
			must(t, err)
			for _, at := range matches {
				treeDigest(b, at, func(f string) bool {
					rel, err := filepath.Rel(filepath.Join(m.Dir, context), filepath.Join(at, f))
					must(t, err)
					return takes(rel)
				})
				if target, err := filepath.EvalSymlinks(at); err == nil && target != at && strings.HasPrefix(target, filepath.Join(m.Dir, context)) {
					fmt.Fprintln(b, "linked", fileDigest(target))
				}
			}
		}
	}
}

// treeDigest writes the digests of a file, or of those below a directory that count.
func treeDigest(b *strings.Builder, root string, counts func(file string) bool) {
	_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if rel, err := filepath.Rel(root, p); err == nil && counts(rel) {
			fmt.Fprintln(b, p, fileDigest(p))
			if d.Type()&fs.ModeSymlink != 0 {
				if target, err := filepath.EvalSymlinks(p); err == nil {
					fmt.Fprintln(b, "linked", fileDigest(target))
				}
			}
		}
		return nil
	})
}

// fileDigest is a digest of a file's mode and content, or a link's target.
func fileDigest(file string) string {
	info, err := os.Lstat(file)
	if err != nil {
		return "none"
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, _ := os.Readlink(file)
		return "-> " + target
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v %x", info.Mode()&0o111 != 0, sha256.Sum256(data))
}
