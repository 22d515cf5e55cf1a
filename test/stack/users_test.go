package stack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/test/dockerd"
)

// certificate is the site's, for localhost, signed by itself.
type certificate struct {
	crt, key string // files in PEM
	parsed   *x509.Certificate
}

func newCertificate(t *testing.T) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	dir := t.TempDir()
	c := &certificate{crt: filepath.Join(dir, "site.crt"), key: filepath.Join(dir, "site.key"), parsed: parsed}
	must(t, os.WriteFile(c.crt, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return c
}

// site is a published port of the server, as its users reach it.
type site struct {
	url    string
	client *http.Client
}

// newSite is the site at a port of the server. With a certificate it speaks TLS, and that one
// alone is trusted.
func newSite(d *dockerd.Daemon, port int, c *certificate) *site {
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	transport := &http.Transport{
		MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.Dial(ctx, network, address)
		},
	}
	s := &site{url: "http://localhost", client: &http.Client{
		Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c != nil {
		trusted := x509.NewCertPool()
		trusted.AddCert(c.parsed)
		s.url, transport.TLSClientConfig = "https://localhost", &tls.Config{RootCAs: trusted}
	}
	return s
}

// answer is what came of a request.
type answer struct {
	status int
	header http.Header
	text   string
}

func (s *site) ask(ctx context.Context, method, path, body string) (*answer, error) {
	q, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r, err := s.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return &answer{r.StatusCode, r.Header, string(text)}, err
}

// get wants a 200 and gives the body.
func (s *site) get(t *testing.T, path string) string {
	t.Helper()
	a, err := s.ask(t.Context(), http.MethodGet, path, "")
	must(t, err)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.text)
	}
	return a.text
}

// write stores a note.
func (s *site) write(t *testing.T, title string) {
	t.Helper()
	a, err := s.ask(t.Context(), http.MethodPost, "/api/notes", `{"title":"`+title+`"}`)
	must(t, err)
	if a.status != http.StatusCreated {
		t.Fatalf("writing a note: %d %s", a.status, a.text)
	}
}

// titles are those of the notes that there are, the newest first, by spaces.
func (s *site) titles(t *testing.T) string {
	t.Helper()
	var page struct{ Notes []struct{ Title string } }
	text := s.get(t, "/api/notes")
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var all []string
	for _, n := range page.Notes {
		all = append(all, n.Title)
	}
	return strings.Join(all, " ")
}

// listen leads a port of this machine to one of the server, for programs that cannot dial by
// themselves, and gives its address.
func listen(t *testing.T, d *dockerd.Daemon, port int) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // closed
			}
			to, err := d.Dial(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
			if err != nil {
				_ = from.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
					_ = way[1].Close()
				}()
			}
		}
	}()
	return l.Addr().String()
}
