package pipeline

import (
	"fmt"
	"path"

	"golang.org/x/mod/modfile"
)

// workspace is the go.work that a module is built in.
type workspace struct {
	Dir  string // relative to the repository
	File *modfile.WorkFile
}

// findWorkspace returns the nearest go.work at or above dir, nil where there is none.
func (t *Tree) findWorkspace(dir string) (*workspace, error) {
	for _, d := range up(dir) {
		name := path.Join(d, "go.work")
		if !t.Has(name) {
			continue
		}
		data, err := t.Read(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		f, err := modfile.ParseWork(name, data, nil)
		if err != nil {
			return nil, err // starts with file:line
		}
		return &workspace{d, f}, nil
	}
	return nil, nil
}

// localModules are the modules of this tree that an import can resolve to when mod is
// built: itself, what it replaces by a path, and what a go.work at or above it uses and
// replaces. Replacements count in these alone, as for the go command: a replaced module's
// own ones mean nothing. Files are the module and workspace files that decide this.
func (t *Tree) localModules(mod *module) (mods []*module, work *workspace, files []string, err error) {
	if work, err = t.findWorkspace(mod.Dir); err != nil {
		return nil, nil, nil, err
	}
	seen := map[string]bool{}
	add := func(m *module) {
		if !seen[m.Dir+" "+m.Path] {
			seen[m.Dir+" "+m.Path] = true
			mods = append(mods, m)
		}
		if !seen[m.Dir] {
			seen[m.Dir] = true
			files = append(files, t.present(m.Dir, "go.mod", "go.sum")...)
		}
	}
	replace := func(file, dir string, lines []*modfile.Replace) error {
		for _, r := range lines {
			if r.New.Version != "" || !modfile.IsDirectoryPath(r.New.Path) {
				continue
			}
			m, err := t.moduleAt(dir, r.New.Path)
			if err != nil {
				return fmt.Errorf("%s:%d: the replacement %w", file, r.Syntax.Start.Line, err)
			}
			m.Path = r.Old.Path // importers use the replaced name
			add(m)
		}
		return nil
	}
	main := []*module{mod}
	if work != nil {
		files = append(files, t.present(work.Dir, "go.work", "go.work.sum")...)
		for _, use := range work.File.Use {
			m, err := t.moduleAt(work.Dir, use.Path)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("%s:%d: the module %w", work.File.Syntax.Name, use.Syntax.Start.Line, err)
			}
			main = append(main, m)
		}
		if err := replace(work.File.Syntax.Name, work.Dir, work.File.Replace); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, m := range main {
		add(m)
		if err := replace(m.File.Syntax.Name, m.Dir, m.File.Replace); err != nil {
			return nil, nil, nil, err
		}
	}
	return mods, work, files, nil
}

// moduleAt reads the module that a module or workspace file in dir names by a path.
func (t *Tree) moduleAt(dir, p string) (*module, error) {
	at := path.Join(dir, p)
	if path.IsAbs(p) || !t.Has(path.Join(at, "go.mod")) {
		return nil, fmt.Errorf("%s is not in this repository, so a container cannot see it", p)
	}
	return t.readModule(at)
}
