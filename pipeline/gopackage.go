package pipeline

import (
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"
)

// closure is what a service's main package is made of, within the repository.
type closure struct {
	Main     *module
	Files    []string // module and workspace files
	Packages []goPackage
	Vendor   bool // the module vendors its dependencies
}

// goPackage is a directory with Go code that a service needs, its tests' needs included.
type goPackage struct {
	Dir    string
	Embeds []string // go:embed patterns, relative to Dir
}

// goClosure follows the imports of the packages below dir through the modules of this
// tree, with their tests: what `go list -deps -test` lists, without Go, a module cache or
// a network. Build constraints are applied as for GOOS and GOARCH with CGO off and on (a
// file for either counts).
func (t *Tree) goClosure(dir string, goos, goarch string) (*closure, error) {
	mod, err := t.findModule(dir)
	if err != nil {
		return nil, err
	}
	mods, files, err := t.localModules(mod)
	if err != nil {
		return nil, err
	}
	c := &closure{Main: mod, Files: files, Vendor: t.Has(path.Join(mod.Dir, "vendor/modules.txt"))}
	seen := map[string]bool{}
	var queue []string
	push := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			queue = append(queue, dir)
		}
	}
	for _, d := range t.goDirs(dir) {
		push(d)
	}
	for len(queue) > 0 {
		d := queue[0]
		queue = queue[1:]
		pkg, imports, err := t.readPackage(d, goos, goarch)
		if err != nil {
			return nil, err
		}
		if pkg == nil {
			continue
		}
		c.Packages = append(c.Packages, *pkg)
		for _, imp := range imports {
			if dir, ok := t.resolve(mods, imp); ok {
				push(dir)
			}
		}
	}
	sort.Slice(c.Packages, func(i, j int) bool { return c.Packages[i].Dir < c.Packages[j].Dir })
	return c, nil
}

// goDirs are the directories at and below dir that hold packages of dir's module: what
// the pattern ./... matches (no testdata, no nested module, no name that starts with
// "." or "_").
func (t *Tree) goDirs(dir string) []string {
	seen := map[string]bool{}
	var out []string
	for _, f := range t.Below(dir) {
		d := path.Dir(f)
		if !strings.HasSuffix(f, ".go") || seen[d] {
			continue
		}
		seen[d] = true
		if t.matchedByDots(dir, d) {
			out = append(out, d)
		}
	}
	return out
}

func (t *Tree) matchedByDots(root, dir string) bool {
	for d := dir; d != root && d != "."; d = path.Dir(d) {
		b := path.Base(d)
		if b == "testdata" || b == "vendor" || strings.HasPrefix(b, ".") || strings.HasPrefix(b, "_") || t.Has(path.Join(d, "go.mod")) {
			return false
		}
	}
	return true
}

// resolve finds the directory of an import path in the tree's modules: the module with
// the longest path that is a prefix of it.
func (t *Tree) resolve(mods []*module, imp string) (string, bool) {
	best, bestLen := "", -1
	for _, m := range mods {
		if within(m.Path, imp) && len(m.Path) > bestLen {
			best, bestLen = path.Join(m.Dir, strings.TrimPrefix(imp, m.Path)), len(m.Path)
		}
	}
	return best, bestLen >= 0 && t.IsDir(best)
}

// readPackage parses a directory's imports and embeds; nil where it has no Go files for
// this platform.
func (t *Tree) readPackage(dir, goos, goarch string) (*goPackage, []string, error) {
	pkg := &goPackage{Dir: dir}
	var imports []string
	found := false
	for _, cgo := range []bool{false, true} {
		bp, err := t.buildContext(goos, goarch, cgo).ImportDir("/"+dir, 0)
		var none *build.NoGoError
		var multi *build.MultiplePackageError
		switch {
		case errors.As(err, &none):
			continue
		case errors.As(err, &multi):
			return nil, nil, fmt.Errorf("%s: two packages in one directory: %s (%s) and %s (%s)", dir, multi.Packages[0], multi.Files[0], multi.Packages[1], multi.Files[1])
		case err != nil && bp == nil:
			return nil, nil, fmt.Errorf("reading the Go package in %s: %w", dir, err)
		}
		// A file that does not parse is the compiler's to report, with its line: what was
		// read of the package until then is enough to hand it over.
		found = true
		for _, list := range [][]string{bp.Imports, bp.TestImports, bp.XTestImports} {
			imports = append(imports, list...)
		}
		for _, list := range [][]string{bp.EmbedPatterns, bp.TestEmbedPatterns, bp.XTestEmbedPatterns} {
			pkg.Embeds = append(pkg.Embeds, list...)
		}
	}
	if !found {
		return nil, nil, nil
	}
	sort.Strings(imports)
	sort.Strings(pkg.Embeds)
	return pkg, imports, nil
}

// isMain reports whether dir holds a main package for the platform.
func (t *Tree) isMain(dir, goos, goarch string) bool {
	bp, _ := t.buildContext(goos, goarch, false).ImportDir("/"+dir, 0)
	return bp != nil && bp.Name == "main"
}

// buildContext is go/build's reading of a directory, from the tree and nothing else.
func (t *Tree) buildContext(goos, goarch string, cgo bool) *build.Context {
	name := func(p string) string {
		if p = strings.TrimPrefix(path.Clean(p), "/"); p == "" {
			return "."
		}
		return p
	}
	return &build.Context{
		GOOS: goos, GOARCH: goarch, Compiler: "gc", CgoEnabled: cgo,
		ReleaseTags: build.Default.ReleaseTags,
		JoinPath:    path.Join,
		IsAbsPath:   path.IsAbs,
		IsDir:       func(p string) bool { return t.IsDir(name(p)) },
		OpenFile:    func(p string) (io.ReadCloser, error) { return t.FS.Open(name(p)) },
		ReadDir: func(p string) ([]fs.FileInfo, error) {
			var out []fs.FileInfo
			for _, n := range t.List(name(p)) {
				full := path.Join(name(p), n)
				out = append(out, entry{name: n, dir: !t.Has(full)})
			}
			return out, nil
		},
	}
}

// entry is a directory entry as go/build wants it: it asks for names and kinds only.
type entry struct {
	name string
	dir  bool
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
