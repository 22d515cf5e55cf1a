package remote_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/deploy/remote"
	"slipway/test/dockerd"
)

// authority signs certificates for 127.0.0.1 and for clients.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{}
	a.certificate, a.key, a.pem = sign(t, template, nil)
	return a
}

// sign makes a certificate, by itself where there is no authority.
func sign(t *testing.T, template *x509.Certificate, by *authority) (*x509.Certificate, *ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// issue gives a certificate and its key, as PEM texts.
func (a *authority) issue(t *testing.T, ip string) (cert, key []byte) {
	t.Helper()
	_, private, certPEM := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.ParseIP(ip)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// certDir writes what DOCKER_CERT_PATH has: a client certificate by one authority, and
// another (or the same) to trust.
func certDir(t *testing.T, trust, by *authority) string {
	t.Helper()
	dir := t.TempDir()
	cert, key := by.issue(t, "127.0.0.1")
	for name, data := range map[string][]byte{"ca.pem": trust.pem, "cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// overTLS puts TLS with client certificates, as dockerd --tlsverify has it, before a daemon.
func overTLS(t *testing.T, daemon *dockerd.Daemon, a *authority, ip string) (address string) {
	t.Helper()
	cert, key := a.issue(t, ip)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.certificate)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker.invalid"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(daemon.Host, "unix://"))
	}}
	server := httptest.NewUnstartedServer(proxy)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestDockerOverTLS(t *testing.T) {
	daemon := dockerd.Start(t, dockerd.Options{})
	ours, theirs := newAuthority(t), newAuthority(t)
	address := overTLS(t, daemon, ours, "127.0.0.1")
	good := certDir(t, ours, ours)
	for _, s := range []remote.Settings{{Server: "tcp://" + address, CertDir: good}, {Server: "local", DockerHost: "tcp://" + address, CertDir: good}} {
		host := connect(t, s)
		if id(t, host.Docker) != id(t, daemon.Client) || host.Name != "tcp://"+address {
			t.Errorf("%s is another daemon", host.Name)
		}
	}

	at := "connecting to Docker at tcp://" + address + ": "
	stranger := certDir(t, ours, theirs)
	refuses(t, remote.Settings{Server: "tcp://" + address, CertDir: stranger}, remote.ErrNoRights,
		at+"it does not accept this client's certificate; cert.pem and key.pem must be signed by the authority that the daemon trusts (--tlscacert)")
	distrust := certDir(t, theirs, ours)
	refuses(t, remote.Settings{Server: "tcp://" + address, CertDir: distrust}, remote.ErrNoDocker,
		at+"its certificate is not signed by the authority in "+distrust+"; take the ca.pem that belongs to this daemon")
	refuses(t, remote.Settings{Server: "local", DockerHost: "tcp://" + address}, remote.ErrNoDocker, at+"it wants TLS; set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem")
	refuses(t, remote.Settings{Server: "tcp://127.0.0.1:1", CertDir: good}, remote.ErrNoDocker, "connecting to Docker at tcp://127.0.0.1:1: no answer (refused, or not within 20s); check the address, the firewalls on the way and that Docker runs there")

	elsewhere := overTLS(t, daemon, ours, "192.0.2.1")
	refuses(t, remote.Settings{Server: "tcp://" + elsewhere, CertDir: good}, remote.ErrNoDocker, "connecting to Docker at tcp://"+elsewhere+
		": its certificate is not for this name (x509: certificate is valid for 192.0.2.1, not 127.0.0.1); use a name that it has")
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	refuses(t, remote.Settings{Server: "tcp://" + plain.Listener.Addr().String(), CertDir: good}, remote.ErrNoDocker, "connecting to Docker at tcp://"+plain.Listener.Addr().String()+
		": it does not speak TLS; start the daemon with --tlsverify, or check the port")

	for name, want := range map[string]string{"ca.pem": "ca.pem in {dir} holds no certificate", "key.pem": "cert.pem and key.pem in {dir} do not go together: tls: failed to find any PEM data in key input"} {
		broken := certDir(t, ours, ours)
		if err := os.WriteFile(filepath.Join(broken, name), []byte("CANARY"), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, remote.Settings{Server: "tcp://" + address, CertDir: broken}, nil, at+strings.ReplaceAll(want, "{dir}", broken))
	}
}
