package pipeline

import (
	"fmt"
	"path"

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
	if d := t.moduleDir(dir); d != "" {
		return t.readModule(d)
	}
	return nil, fmt.Errorf("%s has Go code, but there is no go.mod in it or above it: run `go mod init` there", dir)
}

// moduleDir is the nearest directory with a go.mod at or above dir, "" where there is none.
func (t *Tree) moduleDir(dir string) string {
	for _, d := range up(dir) {
		if t.Has(path.Join(d, "go.mod")) {
			return d
		}
	}
	return ""
}

func (t *Tree) readModule(dir string) (*module, error) {
	r := remember(&t.memo, &t.memo.modules, dir, func() moduleRead {
		mod, err := t.parseModule(dir)
		return moduleRead{mod, err}
	})
	if r.err != nil {
		return nil, r.err
	}
	own := *r.mod // whoever replaces it gives it another path
	return &own, nil
}

func (t *Tree) parseModule(dir string) (*module, error) {
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
