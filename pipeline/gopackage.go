package pipeline

import (
	"go/build"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// closure is what a service's main package is made of, within the repository.
type closure struct {
	Main     *module
	Work     *workspace // nil without a go.work
	Local    []*module  // that an import can resolve to, Main among them
	Files    []string   // module and workspace files
	Packages []goPackage
	Vendored []goPackage // packages of the vendor directory, where it alone says where imports are
	Vendor   []string    // vendor directories
	External []string    // imports that no module of the tree has; those of the standard library are not among them
	Release  string      // of Go, "" where nothing names one

	// deciding are rules for what is not there and would lead the imports elsewhere, strangers
	// the go.mod files that keep directories out.
	deciding  []rule
	strangers []string
}

// goClosure follows the imports of the main package in main and of the packages below dir
// that belong to the same module, through the modules of this tree, with the tests of that
// module: what `go list -deps -test` lists, without Go, a module cache or a network. Build
// constraints are applied as for GOOS and GOARCH with CGO off and on (a file for either
// counts).
func (t *Tree) goClosure(dir, main string, goos, goarch string) (*closure, error) {
	mod, err := t.findModule(main)
	if err != nil {
		return nil, err
	}
	c := &closure{Main: mod}
	if c.Local, c.Work, c.Files, err = t.localModules(mod); err != nil {
		return nil, err
	}
	c.Release, _ = c.goVersion() // whoever builds needs it and reports
	c.findVendor(t)
	w := walk{tree: t, closure: c, target: goTarget{goos, goarch, c.Release}, seen: map[string]bool{}, external: map[string]bool{}}
	w.push(main)
	for _, d := range t.goDirs(dir) {
		if t.moduleDir(d) == mod.Dir {
			w.push(d)
		}
	}
	for len(w.queue) > 0 {
		d := w.queue[0]
		w.queue = w.queue[1:]
		if err := w.read(d); err != nil {
			return nil, err
		}
	}
	for _, list := range [][]goPackage{c.Packages, c.Vendored} {
		sort.Slice(list, func(i, j int) bool { return list[i].Dir < list[j].Dir })
	}
	c.External = sortedKeys(w.external)
	return c, nil
}

// walk follows imports from package to package.
type walk struct {
	tree     *Tree
	closure  *closure
	target   goTarget
	seen     map[string]bool
	queue    []string
	external map[string]bool
}

func (w *walk) push(dir string) {
	if !w.seen[dir] {
		w.seen[dir] = true
		w.queue = append(w.queue, dir)
	}
}

// read notes a directory's package and pushes what it imports. Tests are run of the main
// package's module alone, so those of others, and what they import, mean nothing.
func (w *walk) read(dir string) error {
	c := w.closure
	vendored := c.inVendor(dir)
	files, err := w.tree.packageAt(dir, w.target)
	if err != nil {
		return err
	}
	pkg := goPackage{Dir: dir, Tests: !vendored && w.tree.moduleDir(dir) == c.Main.Dir, target: w.target}
	if files == nil {
		// Nothing here is for this target; another content of a file could be.
		pkg.empty = true
		c.deciding = append(c.deciding, kinded{packageDir(pkg), "package " + dir})
		w.within(dir)
		return nil
	}
	pkg.Files, pkg.Embeds = files.Files, files.Embeds
	imports := files.Imports
	if pkg.Tests {
		pkg.Files = slices.Concat(files.Files, files.TestFiles)
		pkg.Embeds = slices.Concat(files.Embeds, files.TestEmbeds)
		imports = slices.Concat(files.Imports, files.TestImports)
		slices.Sort(pkg.Embeds)
		pkg.Embeds = slices.Compact(pkg.Embeds)
	}
	if vendored {
		c.Vendored = append(c.Vendored, pkg)
	} else {
		c.Packages = append(c.Packages, pkg)
		w.within(dir)
	}
	for _, imp := range imports {
		w.follow(imp)
	}
	return nil
}

// within notes what decides to which module a directory belongs: the go.mod files that are
// not there between it and its module.
func (w *walk) within(dir string) {
	for _, d := range up(dir) {
		file := path.Join(d, "go.mod")
		if w.tree.Has(file) {
			return
		}
		w.closure.deciding = append(w.closure.deciding, kinded{exact(file), kindModule})
	}
}

// follow finds what an import leads to.
func (w *walk) follow(imp string) {
	c, t := w.closure, w.tree
	if imp == "C" || imp == "unsafe" {
		return
	}
	if in, dir := locate(c.Local, imp); in != nil {
		// A module nested in that one is a stranger, unless it was named itself.
		if t.IsDir(dir) && t.moduleDir(dir) == in.Dir {
			w.push(dir)
			return
		}
		w.missing(in, dir)
	}
	if c.vendorAlone() {
		dir := path.Join(c.Vendor[0], imp)
		switch first, _, _ := strings.Cut(imp, "/"); {
		case t.IsDir(dir):
			w.push(dir)
		case strings.Contains(first, "."):
			w.missing(c.Main, dir)
			w.external[imp] = true
		}
		return
	}
	if c.outside(imp) {
		w.external[imp] = true
	}
}

// missing notes a directory that an import leads to and that has no package of this build.
func (w *walk) missing(in *module, dir string) {
	c := w.closure
	if stranger := w.tree.moduleDir(dir); stranger != in.Dir && within(in.Dir, stranger) {
		c.strangers = append(c.strangers, path.Join(stranger, "go.mod"))
		return
	}
	c.deciding = append(c.deciding, kinded{packageDir(goPackage{Dir: dir, Tests: true, empty: true, target: w.target}), "package " + dir})
	w.within(dir)
}

// outside reports whether an import that the tree does not have is a module's, and not the
// standard library's.
func (c *closure) outside(imp string) bool {
	if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") {
		return true
	}
	// A required module may have any name if it is replaced.
	return slices.ContainsFunc(c.Main.File.Require, func(r *modfile.Require) bool { return within(r.Mod.Path, imp) })
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

// locate finds the module that an import path belongs to, the one with the longest path that
// is a prefix of it, and the directory that it has there. Nothing says that this is there, or
// that no other module is nested above it.
func locate(mods []*module, imp string) (best *module, dir string) {
	for _, m := range mods {
		if within(m.Path, imp) && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	if best == nil {
		return nil, ""
	}
	return best, path.Join(best.Dir, strings.TrimPrefix(imp, best.Path))
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
