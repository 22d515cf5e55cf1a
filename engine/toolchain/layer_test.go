package toolchain

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeModule is a toolchain's zip in small: what is needed, what is renamed, what is left out.
var fakeModule = map[string]string{
	"VERSION":                            "go1.99.1\ntime 2030-01-01T00:00:00Z\n",
	"go.env":                             "GOTOOLCHAIN=auto\n",
	"bin/go":                             "the go command",
	"pkg/tool/linux_amd64/compile":       "the compiler",
	"pkg/include/textflag.h":             "header",
	"src/_go.mod":                        "module std\n",
	"src/fmt/print.go":                   "package fmt\n",
	"src/fmt/fmt_test.go":                "package fmt_test\n",
	"src/go/doc/testdata/a.go":           "package a\n",
	"src/cmd/compile/main.go":            "package main\n",
	"src/cmd/go/main.go":                 "package main\n",
	"src/cmd/covdata/main.go":            "package main\n",
	"src/cmd/vendor/x/passes/tests/a.go": "package tests\n",
	"test/run.go":                        "package main\n",
	"api/go1.txt":                        "pkg\n",
	"doc/README.md":                      "doc\n",
}

// wantGo is the layer of fakeModule: kind, mode, path, in the order of the tar.
const wantGo = `d 755 usr/
d 755 usr/local/
d 755 usr/local/go/
- 644 usr/local/go/VERSION
d 755 usr/local/go/bin/
- 755 usr/local/go/bin/go
- 644 usr/local/go/go.env
d 755 usr/local/go/pkg/
d 755 usr/local/go/pkg/include/
- 644 usr/local/go/pkg/include/textflag.h
d 755 usr/local/go/pkg/tool/
d 755 usr/local/go/pkg/tool/linux_amd64/
- 755 usr/local/go/pkg/tool/linux_amd64/compile
d 755 usr/local/go/src/
d 755 usr/local/go/src/cmd/
d 755 usr/local/go/src/cmd/covdata/
- 644 usr/local/go/src/cmd/covdata/main.go
d 755 usr/local/go/src/cmd/vendor/
d 755 usr/local/go/src/cmd/vendor/x/
d 755 usr/local/go/src/cmd/vendor/x/passes/
d 755 usr/local/go/src/cmd/vendor/x/passes/tests/
- 644 usr/local/go/src/cmd/vendor/x/passes/tests/a.go
d 755 usr/local/go/src/fmt/
- 644 usr/local/go/src/fmt/print.go
- 644 usr/local/go/src/go.mod
`

func TestGoLayer(t *testing.T) {
	layer := goLayer(t, moduleZip(t, fakeModule, time.Now(), false))
	if got := listing(t, layer); got != wantGo {
		t.Errorf("got\n%swant\n%s", got, wantGo)
	}
}

func TestLayerIsTheSameForAnyOrderAndDate(t *testing.T) {
	one := goLayer(t, moduleZip(t, fakeModule, time.Unix(1e9, 0), false))
	two := goLayer(t, moduleZip(t, fakeModule, time.Unix(2e9, 0), true))
	if !bytes.Equal(one, two) {
		t.Error("two zips of the same files gave different layers")
	}
}

func TestBaseLayer(t *testing.T) {
	applets, err := appletPaths("bin/sh\nlinuxrc\nbin/cp\nbin/busybox\nusr/bin/env\nsbin/ip\n")
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	if err := writeLayer(&layer, baseEntries(file("", 0, "ELF"), applets)); err != nil {
		t.Fatal(err)
	}
	want := `d 755 bin/
- 755 bin/busybox
l 777 bin/cp -> busybox
l 777 bin/sh -> busybox
d 755 dev/
d 755 etc/
- 644 etc/group
- 644 etc/nsswitch.conf
- 644 etc/passwd
d 755 etc/ssl/
d 755 etc/ssl/certs/
d 777 go/
d 755 proc/
d 700 root/
d 755 run/
d 755 sbin/
l 777 sbin/ip -> ../bin/busybox
d 755 src/
d 755 sys/
d 1777 tmp/
d 755 usr/
d 755 usr/bin/
l 777 usr/bin/env -> ../../bin/busybox
d 755 usr/local/
d 755 usr/local/bin/
d 755 var/
d 1777 var/tmp/
`
	if got := listing(t, layer.Bytes()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestBusyboxWithoutAShellIsRefused(t *testing.T) {
	if _, err := appletPaths("bin/cp\nusr/bin/env\n"); err == nil || !strings.Contains(err.Error(), "no bin/sh") {
		t.Errorf("got %v", err)
	}
}

func TestZipThatIsNoToolchain(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no compiler": {"VERSION": "x", "go.env": "x", "bin/go": "x"},
		"escapes":     {"../../etc/passwd": "x"},
		"empty":       {},
	} {
		archive := moduleZip(t, files, time.Now(), false)
		if _, err := goEntries(archive, "1.99.1", "amd64"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := goEntries(moduleZip(t, fakeModule, time.Now(), false), "1.99.2", "amd64"); err == nil {
		t.Error("another version's zip was taken")
	}
}

func TestOnePathTwice(t *testing.T) {
	err := writeLayer(io.Discard, []entry{file("a/b", 0o644, "1"), file("a/b", 0o644, "2")})
	if err == nil || err.Error() != "the path a/b occurs twice in one layer" {
		t.Errorf("got %v", err)
	}
}

func moduleZip(t *testing.T, files map[string]string, when time.Time, backwards bool) *zip.Reader {
	t.Helper()
	content := moduleZipBytes(t, files, when, backwards)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		t.Fatal(err)
	}
	return archive
}

func moduleZipBytes(t *testing.T, files map[string]string, when time.Time, backwards bool) []byte {
	t.Helper()
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if backwards {
		slices.Reverse(names)
	}
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	for _, name := range names {
		w, err := archive.CreateHeader(&zip.FileHeader{
			Name: "golang.org/toolchain@v0.0.1-go1.99.1.linux-amd64/" + name, Method: zip.Deflate, Modified: when,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func zipFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "toolchain.zip")
	if err := os.WriteFile(name, moduleZipBytes(t, fakeModule, time.Now(), false), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func goLayer(t *testing.T, archive *zip.Reader) []byte {
	t.Helper()
	entries, err := goEntries(archive, "1.99.1", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	if err := writeLayer(&layer, entries); err != nil {
		t.Fatal(err)
	}
	return layer.Bytes()
}

// listing shows a layer, and fails for what would differ between machines.
func listing(t *testing.T, layer []byte) string {
	t.Helper()
	var out strings.Builder
	for archive := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname+h.Gname != "" || h.ModTime.Unix() != 0 {
			t.Errorf("%s: owner %d:%d (%s:%s), time %s", h.Name, h.Uid, h.Gid, h.Uname, h.Gname, h.ModTime)
		}
		kind := map[byte]string{tar.TypeReg: "-", tar.TypeDir: "d", tar.TypeSymlink: "l"}[h.Typeflag]
		fmt.Fprintf(&out, "%s %o %s", kind, h.Mode, h.Name)
		if h.Linkname != "" {
			fmt.Fprintf(&out, " -> %s", h.Linkname)
		}
		out.WriteByte('\n')
	}
}
