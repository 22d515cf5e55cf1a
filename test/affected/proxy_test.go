package affected

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

// proxy is a module proxy in a directory (https://go.dev/ref/mod#goproxy-protocol), with two
// versions of each module.
type proxy struct {
	dir  string
	sums string // go.sum's lines for all that there is
}

// outside are modules of the proxy by path: the source of their one package.
var outside = map[string]string{
	"example.org/ext":   "package ext\n\nimport _ \"example.org/deep\"\n\nfunc init() { println(\"ext VERSION\") }\n",
	"example.org/deep":  "package deep\n\nfunc init() { println(\"deep VERSION\") }\n",
	"example.org/other": "package other\n\nfunc init() { println(\"other VERSION\") }\n",
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	p := &proxy{dir: t.TempDir()}
	for _, module := range []string{"example.org/deep", "example.org/ext", "example.org/other"} {
		for _, version := range []string{"v1.0.0", "v1.1.0"} {
			p.add(t, module, version)
		}
	}
	return p
}

func (p *proxy) add(t testing.TB, module, version string) {
	t.Helper()
	mod := "module " + module + "\n\ngo 1.20\n"
	if module == "example.org/ext" {
		mod += "\nrequire example.org/deep v1.0.0\n"
	}
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	for name, content := range map[string]string{"go.mod": mod, filepath.Base(module) + ".go": strings.ReplaceAll(outside[module], "VERSION", version)} {
		w, err := z.Create(module + "@" + version + "/" + name)
		must(t, err)
		_, err = io.WriteString(w, content)
		must(t, err)
	}
	must(t, z.Close())
	at := filepath.Join(p.dir, module, "@v")
	must(t, os.MkdirAll(at, 0o755))
	for ext, content := range map[string]string{".mod": mod, ".info": `{"Version":"` + version + `"}`, ".zip": zipped.String()} {
		must(t, os.WriteFile(filepath.Join(at, version+ext), []byte(content), 0o600))
	}
	sum, err := dirhash.HashZip(filepath.Join(at, version+".zip"), dirhash.Hash1)
	must(t, err)
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(mod)), nil })
	must(t, err)
	p.sums += module + " " + version + " " + sum + "\n" + module + " " + version + "/go.mod " + modSum + "\n"
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
