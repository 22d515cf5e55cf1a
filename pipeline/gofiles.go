package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// goTarget is what Go code is compiled for.
type goTarget struct {
	OS, Arch string
	Release  string // of Go, "1.26.8"; "" where it does not matter
}

func (g goTarget) String() string { return g.OS + "/" + g.Arch + "/" + g.Release }

// packageFiles is what a directory's Go package is made of.
type packageFiles struct {
	Files, TestFiles     []string // names in the directory; Files are all that the go command reads but tests
	Imports, TestImports []string
	Embeds, TestEmbeds   []string // go:embed patterns
	Ignored              []string // sources that build constraints leave out
}

// packageAt reads a directory's Go package; nil where it has no Go files for the target.
func (t *Tree) packageAt(dir string, target goTarget) (*packageFiles, error) {
	r := remember(&t.memo, &t.memo.packages, target.String()+" "+dir, func() packageRead {
		pkg, err := t.readPackage(dir, target)
		return packageRead{pkg, err}
	})
	return r.pkg, r.err
}

// contexts are the ways in which steps compile: with CGO off, and, on a toolchain image,
// with CGO and the race detector in tests. A file for any of them counts.
func (t *Tree) contexts(target goTarget) []*build.Context {
	var out []*build.Context
	for i, cgo := range []bool{false, true, true} {
		c := t.buildContext(target.OS, target.Arch, cgo)
		if c.ReleaseTags = releaseTags(target.Release); i == 2 {
			c.BuildTags = []string{"race"}
		}
		out = append(out, c)
	}
	return out
}

// releaseTags are the build tags of a Go release: go1.1 up to its own; those of the Go that
// compiled this where the release is not known.
func releaseTags(release string) []string {
	_, minor, _ := strings.Cut(release, ".")
	minor, _, _ = strings.Cut(minor, ".")
	digits := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		minor = minor[:digits] // 1.27rc1
	}
	n, err := strconv.Atoi(minor)
	if err != nil || n > 1000 {
		return build.Default.ReleaseTags
	}
	var out []string
	for i := 1; i <= n; i++ {
		out = append(out, "go1."+strconv.Itoa(i))
	}
	return out
}

func (t *Tree) readPackage(dir string, target goTarget) (*packageFiles, error) {
	pkg, found := &packageFiles{}, false
	var tags []string
	for i, c := range t.contexts(target) {
		if i > 0 && !slices.Contains(tags, "cgo") && !slices.Contains(tags, "race") {
			break // no file tells these ways of compiling apart
		}
		bp, err := c.ImportDir("/"+dir, 0)
		if bp != nil {
			tags = append(tags, bp.AllTags...)
		}
		var none *build.NoGoError
		var multi *build.MultiplePackageError
		switch {
		case errors.As(err, &none):
			pkg.Ignored = append(pkg.Ignored, bp.IgnoredGoFiles...)
			continue
		case errors.As(err, &multi):
			return nil, fmt.Errorf("%s: two packages in one directory: %s (%s) and %s (%s)", dir, multi.Packages[0], multi.Files[0], multi.Packages[1], multi.Files[1])
		case err != nil && bp == nil:
			return nil, fmt.Errorf("reading the Go package in %s: %w", dir, err)
		}
		// A file that does not parse is the compiler's to report, with its line: what was
		// read of the package until then is enough to hand it over.
		found = true
		pkg.Files = append(pkg.Files, slices.Concat(bp.GoFiles, bp.CgoFiles, bp.InvalidGoFiles, bp.CFiles, bp.CXXFiles, bp.MFiles, bp.HFiles, bp.FFiles, bp.SFiles, bp.SwigFiles, bp.SwigCXXFiles, bp.SysoFiles)...)
		pkg.TestFiles = append(pkg.TestFiles, slices.Concat(bp.TestGoFiles, bp.XTestGoFiles)...)
		pkg.Imports, pkg.TestImports = append(pkg.Imports, bp.Imports...), slices.Concat(pkg.TestImports, bp.TestImports, bp.XTestImports)
		pkg.Embeds, pkg.TestEmbeds = append(pkg.Embeds, bp.EmbedPatterns...), slices.Concat(pkg.TestEmbeds, bp.TestEmbedPatterns, bp.XTestEmbedPatterns)
		pkg.Ignored = slices.Concat(pkg.Ignored, bp.IgnoredGoFiles, bp.IgnoredOtherFiles)
	}
	for _, list := range []*[]string{&pkg.Files, &pkg.TestFiles, &pkg.Imports, &pkg.TestImports, &pkg.Embeds, &pkg.TestEmbeds, &pkg.Ignored} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	// What one way of compiling leaves out another may take.
	pkg.Ignored = slices.DeleteFunc(pkg.Ignored, func(f string) bool {
		return slices.Contains(pkg.Files, f) || slices.Contains(pkg.TestFiles, f)
	})
	if !found {
		return nil, nil
	}
	return pkg, nil
}

// compiled reports whether a source file of that content would be compiled: whether its
// name and its build constraints let it in.
func compiled(file string, data []byte, target goTarget) bool {
	t := &Tree{}
	for _, c := range t.contexts(target) {
		c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		if in, err := c.MatchFile("/"+path.Dir(file), path.Base(file)); in || err != nil {
			return true // a header that cannot be read is the compiler's to report
		}
	}
	return false
}
