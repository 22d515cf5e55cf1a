package pipeline

import (
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
)

// goPackage is a directory with Go code that a service needs.
type goPackage struct {
	Dir    string
	Embeds []string // go:embed patterns, relative to Dir
	Files  []string // what the go command reads in Dir itself, by name
	Tests  bool     // whether its tests are run, and so its test files and test data count

	target goTarget
	empty  bool // there is no package, but there would be one with a source
}

// packageDir matches the files of a Go package in a directory that others share: sources
// that are compiled for the target, test data, embedded files.
type packageDir goPackage

// goExtensions are what the go command reads in a package's directory (`go help list`,
// the *Files fields).
var goExtensions = map[string]bool{
	".go": true, ".c": true, ".cc": true, ".cpp": true, ".cxx": true, ".m": true, ".h": true, ".hh": true, ".hpp": true,
	".hxx": true, ".f": true, ".F": true, ".for": true, ".f90": true, ".s": true, ".S": true, ".sx": true, ".swig": true, ".swigcxx": true, ".syso": true,
}

func (r packageDir) list(t *Tree) []string {
	var out []string
	for _, f := range r.Files {
		out = append(out, path.Join(r.Dir, f))
	}
	if r.Tests && !r.empty {
		out = append(out, t.Below(path.Join(r.Dir, "testdata"))...)
	}
	for _, p := range r.Embeds {
		for _, f := range t.under(path.Join(r.Dir, literal(strings.TrimPrefix(p, "all:")))) {
			if embedded(p, rel(r.Dir, f)) {
				out = append(out, f)
			}
		}
	}
	return out
}

func (r packageDir) match(file string) answer {
	if !within(r.Dir, file) {
		return no
	}
	below := rel(r.Dir, file)
	if r.Tests && !r.empty && strings.HasPrefix(below, "testdata/") || slices.ContainsFunc(r.Embeds, func(p string) bool { return embedded(p, below) }) {
		return yes
	}
	if path.Dir(file) == r.Dir && goExtensions[path.Ext(file)] && (r.Tests || !strings.HasSuffix(file, "_test.go")) {
		return ask
	}
	return no
}

func (r packageDir) dirs(*Tree) []string { return []string{r.Dir} }

// compiles reports whether a source with that content would be part of the package.
func (r packageDir) compiles(file string, data []byte) bool { return compiled(file, data, r.target) }

// programs matches the sources that would make Go code of a service that has none: a main
// package in its directory, or below its cmd/.
type programs struct {
	dir    string
	target goTarget
}

func (r programs) list(*Tree) []string { return nil }

func (r programs) match(file string) answer {
	dir := path.Dir(file)
	if path.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go") && (dir == r.dir || path.Dir(dir) == path.Join(r.dir, "cmd")) {
		return ask
	}
	return no
}

func (r programs) dirs(t *Tree) []string {
	out, cmd := []string{r.dir}, path.Join(r.dir, "cmd")
	for _, n := range t.List(cmd) {
		out = append(out, path.Join(cmd, n))
	}
	return out
}

func (r programs) compiles(file string, data []byte) bool {
	f, err := parser.ParseFile(token.NewFileSet(), file, data, parser.PackageClauseOnly)
	return compiled(file, data, r.target) && (err != nil || f.Name.Name == "main")
}

// embedded applies a go:embed pattern: path.Match on the file, or on a directory above it,
// whose files are then taken but for those that begin with "." or "_", unless the pattern
// begins with "all:" (package embed's documentation).
func embedded(pattern, file string) bool {
	pattern, all := strings.CutPrefix(pattern, "all:")
	for p := file; p != "."; p = path.Dir(p) {
		if ok, _ := path.Match(pattern, p); !ok {
			continue
		}
		if all || p == file || !slices.ContainsFunc(strings.Split(rel(p, file), "/"), hidden) {
			return true
		}
	}
	return false
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }
