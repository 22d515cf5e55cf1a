package pipeline

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// moduleInputs are what of the module files counts. Which requirement an external package's
// own imports come from is known only to who has its source, and that is not here:
//
//   - a service that imports nothing from outside the repository depends on no requirement,
//     since Go 1.17 reads none of their go.mod files then ("Lazy module loading" in the
//     reference): module path, Go version, and the lines about modules of this repository count;
//   - one that does depends on all of its module's requirements and checksums, though not on
//     comments, order, retractions and tools;
//   - with a vendor directory each vendored package's module is known, and is all that counts;
//   - a go.work, and a go.mod that the go command would want to correct, count whole.
func (m *maker) moduleInputs() (rules []rule, parts []Part) {
	t, c := m.repo.Tree, m.closure
	rules = append(rules, c.deciding...)
	for _, f := range c.strangers {
		parts = append(parts, t.presence(f))
	}
	for _, d := range up(c.Main.Dir) {
		if c.Work != nil && c.Work.Dir == d {
			break
		}
		rules = append(rules, kinded{exact(path.Join(d, "go.work")), kindModule})
	}
	mod := path.Join(c.Main.Dir, "go.mod")
	switch {
	case c.Work != nil:
		files := slices.Clone(c.Files)
		for _, local := range c.Local {
			files = append(files, path.Join(local.Dir, "go.sum"))
		}
		rules = append(rules, kinded{exact(append(files, path.Join(c.Work.Dir, "go.work.sum"))...), kindModule})
		for _, dir := range c.Vendor {
			rules = append(rules, kinded{wholeDir(dir), kindVendor})
		}
	case c.vendorAlone():
		var used []string
		for _, p := range c.Vendored {
			rules = append(rules, kinded{packageDir(p), kindVendor})
			used = append(used, p.Dir)
		}
		parts = append(parts, t.part("vendored packages in use", "vendor "+strings.Join(used, " "), []string{mod, vendorList(c.Main.Dir)}, func(r reading) ([]string, error) {
			return c.vendorLines(c.Release, r)
		}))
	case c.closed():
		parts = append(parts, m.closedParts(mod)...)
	default:
		for _, dir := range c.Vendor {
			rules = append(rules, kinded{wholeDir(dir), kindVendor})
		}
		parts = append(parts, m.openParts(mod)...)
	}
	return rules, parts
}

// closed reports whether no package from outside the repository is used, by a module whose
// requirements are then not read.
func (c *closure) closed() bool {
	f := c.Main.File
	return len(c.External) == 0 && f.Go != nil && compareGo(f.Go.Version, "1.17") >= 0 && !contested(f)
}

// contested reports whether a file requires one module in two versions, which the go command
// has to settle first, whatever is built.
func contested(f *modfile.File) bool {
	versions := map[string]string{}
	for _, r := range f.Require {
		if v, ok := versions[r.Mod.Path]; ok && v != r.Mod.Version {
			return true
		}
		versions[r.Mod.Path] = r.Mod.Version
	}
	return false
}

// closedParts are the module files of a service without packages from outside.
func (m *maker) closedParts(mod string) []Part {
	t, c := m.repo.Tree, m.closure
	used := map[string]*module{}
	for _, p := range c.Packages {
		for _, local := range c.Local {
			if local.Dir == t.moduleDir(p.Dir) {
				used[local.Path] = local
			}
		}
	}
	names := sortedKeys(used)
	// A requirement could bring a package of these modules' names, or name their version.
	counts := func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return within(n, name) || within(name, n) })
	}
	parts := []Part{t.part("Go version, and what is said of modules in this repository", "closed "+strings.Join(names, " "), []string{mod}, func(r reading) ([]string, error) {
		f, err := moduleFile(mod, r)
		if err != nil || contested(f) || f.Go == nil || compareGo(f.Go.Version, "1.17") < 0 {
			return []string{whole(mod, r)}, nil
		}
		return append(headLines(mod, f), requirementLines(f, counts)...), nil
	})}
	for _, name := range names {
		if local := used[name]; local.Dir != c.Main.Dir {
			parts = append(parts, t.languagePart(path.Join(local.Dir, "go.mod")))
		}
	}
	return parts
}

// languagePart is what a module that is replaced by its path says of how it is compiled.
func (t *Tree) languagePart(mod string) Part {
	return t.part("Go version", "language", []string{mod}, func(r reading) ([]string, error) {
		f, err := moduleFile(mod, r)
		if err != nil {
			return nil, err
		}
		return headLines(mod, f), nil
	})
}

// openParts are the module files of a service with packages from outside.
func (m *maker) openParts(mod string) []Part {
	t, c := m.repo.Tree, m.closure
	all := func(string) bool { return true }
	var parts []Part
	for i, local := range c.Local {
		file := path.Join(local.Dir, "go.mod")
		parts = append(parts, t.part("requirements, Go version", fmt.Sprint("open ", i == 0), []string{file}, func(r reading) ([]string, error) {
			f, err := moduleFile(file, r)
			if err != nil {
				return nil, err
			}
			return append(headLines(file, f), requirementLines(f, all)...), nil
		}))
	}
	sum := path.Join(path.Dir(mod), "go.sum")
	return append(parts, t.part("checksums", "checksums", []string{sum}, func(r reading) ([]string, error) {
		data, _, err := r(sum)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		slices.Sort(lines)
		return slices.Compact(lines), nil
	}))
}

// headLines are a go.mod's lines about the module itself.
func headLines(name string, f *modfile.File) []string {
	var lines []string
	if f.Module != nil {
		lines = append(lines, "module "+f.Module.Mod.Path)
	}
	if f.Go != nil {
		lines = append(lines, "go "+f.Go.Version)
	}
	if release, err := goRelease(name, f.Go, f.Toolchain); err == nil {
		lines = append(lines, "toolchain go"+release)
	}
	for _, g := range f.Godebug {
		lines = append(lines, "godebug "+g.Key+"="+g.Value)
	}
	for _, i := range f.Ignore {
		lines = append(lines, "ignore "+i.Path)
	}
	return lines
}

// requirementLines are a go.mod's lines about other modules, those that count, in an order
// that the file's has no part in.
func requirementLines(f *modfile.File, counts func(name string) bool) []string {
	var lines []string
	for _, r := range f.Require {
		if counts(r.Mod.Path) {
			lines = append(lines, "require "+moduleText(r.Mod))
		}
	}
	for _, e := range f.Exclude {
		if counts(e.Mod.Path) {
			lines = append(lines, "exclude "+moduleText(e.Mod))
		}
	}
	for _, r := range f.Replace {
		if counts(r.Old.Path) {
			lines = append(lines, "replace "+moduleText(r.Old)+" => "+moduleText(r.New))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// lintConfigs are the names that golangci-lint looks for in a directory, in its order.
var lintConfigs = []string{".golangci.json", ".golangci.toml", ".golangci.yaml", ".golangci.yml"}

// readsModuleFile finds linters whose findings are about go.mod, gomoddirectives say.
var readsModuleFile = regexp.MustCompile(`gomod|(?i)enable-all|default"?\s*[:=]\s*"?all`)

// lintInputs are the lint configuration that counts, the first that golangci-lint finds (in
// the module's directory, then from the first target upwards), and the names before it, which
// would win. Some linters read go.mod.
func (m *maker) lintInputs() []rule {
	t, c := m.repo.Tree, m.closure
	start := c.Main.Dir
	if targets := m.targets(); len(targets) > 0 {
		start = path.Join(c.Main.Dir, targets[0])
		if path.Base(start) == "..." {
			start = path.Dir(start)
		}
	}
	files := exact()
	rules := []rule{kinded{files, kindLint}}
	for _, dir := range append([]string{c.Main.Dir}, up(start)...) {
		for _, name := range lintConfigs {
			file := path.Join(dir, name)
			files[file] = true
			if !t.Has(file) {
				continue
			}
			if data, err := t.Read(file); err == nil && readsModuleFile.Match(data) {
				rules = append(rules, kinded{exact(path.Join(c.Main.Dir, "go.mod")), kindModule})
			}
			return rules
		}
	}
	return rules
}
