package toolchain

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// goRoot is where the official images have it.
const goRoot = "usr/local/go"

// goEntries turns a zip of the module golang.org/toolchain into a layer's entries. What the
// module format took away is put back: the executable bits, and the name go.mod, which a
// module's zip cannot hold below its root (it has "_go.mod"; see cmd/go/internal/toolchain).
func goEntries(archive *zip.Reader, version, arch string) ([]entry, error) {
	prefix := "golang.org/toolchain@" + moduleVersion(version, arch) + "/"
	var entries []entry
	for _, f := range archive.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || !fs.ValidPath(name) {
			return nil, fmt.Errorf("the toolchain's zip holds %q, which is not below %s", f.Name, prefix)
		}
		if !needed(name) {
			continue
		}
		mode := int64(0o644)
		if strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") {
			mode = 0o755
		}
		if path.Base(name) == "_go.mod" {
			name = path.Join(path.Dir(name), "go.mod")
		}
		entries = append(entries, entry{
			path: path.Join(goRoot, name),
			mode: mode,
			size: int64(f.UncompressedSize64),
			open: f.Open,
		})
	}
	for _, must := range []string{"bin/go", "VERSION", "go.env", "pkg/tool/linux_" + arch + "/compile"} {
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.path == path.Join(goRoot, must) }) {
			return nil, fmt.Errorf("the toolchain's zip has no %s, so it is not a Go toolchain for linux/%s", must, arch)
		}
	}
	return entries, nil
}

// shippedCompiled are commands whose programs are in bin and pkg/tool, with much source. The other
// commands' sources stay: since Go 1.25 covdata, nm, pprof and others are compiled when first used.
var shippedCompiled = []string{"src/cmd/asm/", "src/cmd/cgo/", "src/cmd/compile/", "src/cmd/go/", "src/cmd/link/"}

// needed leaves out a third of the bytes, and half the files, that no build, vet, test or list of other
// code reads: the standard library's own tests, and the sources of programs that are there.
func needed(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	switch {
	case top == "test" || top == "api" || top == "doc":
		return false
	case !strings.HasPrefix(name, "src/"):
		return true
	case strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/"):
		return false
	default:
		return !slices.ContainsFunc(shippedCompiled, func(dir string) bool { return strings.HasPrefix(name, dir) })
	}
}
