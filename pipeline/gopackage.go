package pipeline

import (
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// closure is what a service's main package is made of, within the repository.
type closure struct {
	Main     *module
	Work     *workspace // nil without a go.work
	Files    []string   // module and workspace files
	Packages []goPackage
	Vendor   []string // vendor directories
}

// goPackage is a directory with Go code that a service needs, its tests' needs included.
type goPackage struct {
	Dir    string
	Embeds []string // go:embed patterns, relative to Dir
}

// goClosure follows the imports of the main package in main and of the packages below dir
// that belong to the same module, through the modules of this tree, with their tests: what
// `go list -deps -test` lists, without Go, a module cache or a network. Build constraints
// are applied as for GOOS and GOARCH with CGO off and on (a file for either counts).
func (t *Tree) goClosure(dir, main string, goos, goarch string) (*closure, error) {
	mod, err := t.findModule(main)
	if err != nil {
		return nil, err
	}
	mods, work, files, err := t.localModules(mod)
	if err != nil {
		return nil, err
	}
	c := &closure{Main: mod, Work: work, Files: files}
	roots := []string{mod.Dir}
	if work != nil && work.Dir != mod.Dir {
		roots = append(roots, work.Dir)
	}
	for _, root := range roots {
		if vendor := path.Join(root, "vendor"); t.Has(path.Join(vendor, "modules.txt")) {
			c.Vendor = append(c.Vendor, vendor)
		}
	}
	seen := map[string]bool{}
	var queue []string
	push := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			queue = append(queue, dir)
		}
	}
	push(main)
	for _, d := range t.goDirs(dir) {
		if t.moduleDir(d) == mod.Dir {
			push(d)
		}
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

// goDirs are the directories at and below dir that the pattern ./... can match there: no
// testdata, no vendor, no name that starts with "." or "_".
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
		if b == "testdata" || b == "vendor" || strings.HasPrefix(b, ".") || strings.HasPrefix(b, "_") {
			return false
		}
	}
	return true
}

// resolve finds the directory of an import path in the tree's modules: the module with
// the longest path that is a prefix of it.
func (t *Tree) resolve(mods []*module, imp string) (string, bool) {
	var best *module
	for _, m := range mods {
		if within(m.Path, imp) && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	if best == nil {
		return "", false
	}
	dir := path.Join(best.Dir, strings.TrimPrefix(imp, best.Path))
	// A module nested in that one is a stranger, unless it was named itself.
	return dir, t.IsDir(dir) && t.moduleDir(dir) == best.Dir
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
	pkg.Embeds = slices.Compact(pkg.Embeds)
	return pkg, imports, nil
}

// isMain reports whether dir holds a main package for the platform.
func (t *Tree) isMain(dir, goos, goarch string) bool {
	bp, _ := t.buildContext(goos, goarch, false).ImportDir("/"+dir, 0)
	return bp != nil && bp.Name == "main" && len(bp.GoFiles)+len(bp.CgoFiles) > 0 // not by tests alone
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
