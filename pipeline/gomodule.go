package pipeline

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/mod/modfile"
)

// module is one go.mod in the tree.
type module struct {
	Dir  string // relative to the repository
	Path string
	File *modfile.File
}

// findModule returns the module that dir belongs to: the nearest go.mod at or above it.
func (t *Tree) findModule(dir string) (*module, error) {
	for _, d := range up(dir) {
		if t.Has(path.Join(d, "go.mod")) {
			return t.readModule(d)
		}
	}
	return nil, fmt.Errorf("%s has Go code, but there is no go.mod in it or above it: run `go mod init` there", dir)
}

func (t *Tree) readModule(dir string) (*module, error) {
	name := path.Join(dir, "go.mod")
	data, err := t.Read(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err // modfile's errors start with file:line
	}
	if f.Module == nil {
		return nil, fmt.Errorf("%s:1: no module line: run `go mod init` there", name)
	}
	return &module{Dir: dir, Path: f.Module.Mod.Path, File: f}, nil
}

// firstToolchain is the oldest Go release that has a patch number from the start
// ("1.21.0"), and the oldest that understands toolchain lines.
const firstToolchain = "1.21.0"

// goVersion is the Go release that the module names, and nothing else does: its toolchain
// line, else its go line (see "Go Toolchains" in the Go documentation). A language
// version, "1.22", means its first release; before 1.21 the go line named no release, so
// the oldest one that can be had is taken.
func (m *module) goVersion() (string, error) {
	if tc := m.File.Toolchain; tc != nil && tc.Name != "default" {
		if v, ok := strings.CutPrefix(tc.Name, "go"); ok {
			return v, nil
		}
		return "", fmt.Errorf("%s:%d: toolchain %q is no Go release: write it like go1.26.8", m.File.Syntax.Name, tc.Syntax.Start.Line, tc.Name)
	}
	if m.File.Go == nil {
		return "", fmt.Errorf("%s: no go line says which Go builds it: run `go mod edit -go=1.26.0` there", m.File.Syntax.Name)
	}
	v := m.File.Go.Version
	if strings.Count(v, ".") == 1 && !strings.Contains(v, "rc") && !strings.Contains(v, "beta") {
		v += ".0"
	}
	if compareGo(v, firstToolchain) < 0 {
		return firstToolchain, nil
	}
	return v, nil
}

// localModules are the modules of this tree that an import can resolve to when mod is
// built: itself, what it replaces by a path, and what a go.work at or above it uses.
// Files are the module and workspace files that decide this.
func (t *Tree) localModules(mod *module) (mods []*module, files []string, err error) {
	seen := map[string]bool{}
	var add func(m *module) error
	add = func(m *module) error {
		if seen[m.Dir] {
			return nil
		}
		seen[m.Dir] = true
		mods = append(mods, m)
		files = append(files, t.present(m.Dir, "go.mod", "go.sum")...)
		for _, r := range m.File.Replace {
			if r.New.Version != "" || !modfile.IsDirectoryPath(r.New.Path) {
				continue
			}
			dir := path.Join(m.Dir, r.New.Path)
			if path.IsAbs(r.New.Path) || !t.Has(path.Join(dir, "go.mod")) {
				return fmt.Errorf("%s:%d: the replacement %s is not in this repository, so a container cannot see it", m.File.Syntax.Name, r.Syntax.Start.Line, r.New.Path)
			}
			other, err := t.readModule(dir)
			if err != nil {
				return err
			}
			replaced := *other
			replaced.Path = r.Old.Path // importers use the replaced name
			if err := add(&replaced); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(mod); err != nil {
		return nil, nil, err
	}
	for _, d := range up(mod.Dir) {
		name := path.Join(d, "go.work")
		if !t.Has(name) {
			continue
		}
		data, err := t.Read(name)
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", name, err)
		}
		work, err := modfile.ParseWork(name, data, nil)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, t.present(d, "go.work", "go.work.sum")...)
		for _, use := range work.Use {
			m, err := t.readModule(path.Join(d, use.Path))
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", name, use.Syntax.Start.Line, err)
			}
			if err := add(m); err != nil {
				return nil, nil, err
			}
		}
		break
	}
	return mods, files, nil
}

// present returns those of the named files in dir that are there.
func (t *Tree) present(dir string, names ...string) []string {
	var out []string
	for _, n := range names {
		if p := path.Join(dir, n); t.Has(p) {
			out = append(out, p)
		}
	}
	return out
}
