package e2e

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"

	"slipway/test/slipwaycmd"
)

// goProxy is a private module proxy: it serves one module to whoever has its password, by
// TLS with a certificate of its own, and knows no other.
type goProxy struct {
	url, user, password string
	caFile              string // the system's certificates and its own
	module, version     string
	sum, modSum         string // lines of go.sum
	served              atomic.Int64
}

func newGoProxy(t testing.TB, password string) *goProxy {
	t.Helper()
	p := &goProxy{user: "ci", password: password, module: "private.example.com/secretlib",
		// A version of its own each time: the engine outlives a run, and remembers modules.
		version: fmt.Sprintf("v1.2.%d", time.Now().UnixNano())}
	goMod := "module " + p.module + "\n\ngo 1.25\n"
	src := t.TempDir()
	must(t, os.WriteFile(filepath.Join(src, "go.mod"), []byte(goMod), 0o600))
	must(t, os.WriteFile(filepath.Join(src, "lib.go"), []byte("// Package secretlib answers.\npackage secretlib\n\n// Answer answers.\nfunc Answer() string { return \"forty-two\" }\n"), 0o600))
	var zip bytes.Buffer
	must(t, modzip.CreateFromDir(&zip, module.Version{Path: p.module, Version: p.version}, src))
	file := filepath.Join(t.TempDir(), "lib.zip")
	must(t, os.WriteFile(file, zip.Bytes(), 0o600))
	sum, err := dirhash.HashZip(file, dirhash.Hash1)
	must(t, err)
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (readCloser, error) { return nopCloser{strings.NewReader(goMod)}, nil })
	must(t, err)
	p.sum, p.modSum = fmt.Sprintf("%s %s %s\n", p.module, p.version, sum), fmt.Sprintf("%s %s/go.mod %s\n", p.module, p.version, modSum)

	files := map[string][]byte{".info": []byte(`{"Version":"` + p.version + `"}`), ".mod": []byte(goMod), ".zip": zip.Bytes()}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		user, pass, _ := q.BasicAuth()
		file, found := strings.CutPrefix(q.URL.Path, "/"+p.module+"/@v/"+p.version)
		switch {
		case !found:
			http.NotFound(w, q) // Go asks the next proxy then
		case user != p.user || pass != p.password:
			http.Error(w, "log in", http.StatusUnauthorized)
		default:
			p.served.Add(1)
			_, _ = w.Write(files[file])
		}
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	must(t, err)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	p.caFile = filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(p.caFile, append(system, own...), 0o600))
	return p
}

// env is how a person at this machine has set up Go for it, with the password in ~/.netrc.
func (p *goProxy) env(t testing.TB) []string {
	t.Helper()
	homeDir := t.TempDir()
	host := strings.TrimPrefix(p.url, "https://") // with its port: Go looks for all of it
	must(t, os.WriteFile(filepath.Join(homeDir, ".netrc"), fmt.Appendf(nil, "machine %s login %s password %s\n", host, p.user, p.password), 0o600))
	others := ""
	for _, v := range slipwaycmd.Environment(t) {
		if list, ok := strings.CutPrefix(v, "GOPROXY="); ok {
			others = "," + list // the last one counts
		}
	}
	return []string{"HOME=" + homeDir, "GOPROXY=" + p.url + others, "GOPRIVATE=private.example.com", "GONOPROXY=none", "SSL_CERT_FILE=" + p.caFile}
}
