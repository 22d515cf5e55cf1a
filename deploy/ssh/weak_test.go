package ssh_test

import (
	"crypto/dsa" //nolint:staticcheck // a server that has nothing better
	"crypto/rand"
	"crypto/rsa"
	"net"
	"strconv"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"slipway/deploy/ssh"
	"slipway/secret"
	"slipway/test/sshd"
)

// A server, or who is in front of it, that offers only what can be forged or broken is refused,
// also where such a key is pinned.
func TestWeakAlgorithmsAreRefused(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sha2, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	sha1, err := xssh.NewSignerWithAlgorithms(sha2.(xssh.AlgorithmSigner), []string{xssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	dss, err := xssh.NewSignerFromKey(dsaKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key    xssh.Signer
		config xssh.Config
		kind   error
		want   string
	}{
		"strong":          {key: sha2},
		"RSA with SHA-1":  {sha1, xssh.Config{}, ssh.ErrHostKey, "it proves who it is only by ssh-rsa, which others can forge"},
		"DSA":             {dss, xssh.Config{}, ssh.ErrHostKey, "it proves who it is only by ssh-dss, which others can forge"},
		"a weak exchange": {sha2, xssh.Config{KeyExchanges: []string{xssh.InsecureKeyExchangeDH14SHA1}}, ssh.ErrUnreachable, "no key exchange in common: the server has diffie-hellman-group14-sha1"},
		"a weak cipher":   {sha2, xssh.Config{Ciphers: []string{xssh.InsecureCipherAES128CBC}}, ssh.ErrUnreachable, "in common: the server has aes128-cbc"},
		"a weak checksum": {sha2, xssh.Config{Ciphers: []string{xssh.CipherAES128CTR}, MACs: []string{xssh.InsecureHMACSHA196}}, ssh.ErrUnreachable, "in common: the server has hmac-sha1-96"},
	} {
		t.Run(name, func(t *testing.T) {
			port := serve(t, c.key, c.config)
			key, _ := sshd.NewKey(t, "ed25519", "")
			client, err := ssh.Dial(t.Context(), ssh.Options{
				Host: "127.0.0.1", Port: port, User: "deploy", Key: secret.New(key), Random: func() float64 { return 1 },
				KnownHosts: sshd.KnownHostsLine("127.0.0.1:"+strconv.Itoa(port), c.key.PublicKey()),
			})
			if err == nil {
				_ = client.Close()
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !isA(err, c.kind) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// serve is an SSH server that lets everybody in. Today's OpenSSH has no DSA.
func serve(t *testing.T, key xssh.Signer, weak xssh.Config) (port int) {
	t.Helper()
	config := &xssh.ServerConfig{Config: weak, PublicKeyCallback: func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				if _, channels, requests, err := xssh.NewServerConn(conn, config); err == nil {
					go xssh.DiscardRequests(requests)
					for c := range channels {
						_ = c.Reject(xssh.Prohibited, "")
					}
				}
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func dsaKey(t *testing.T) *dsa.PrivateKey {
	t.Helper()
	key := new(dsa.PrivateKey)
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		t.Fatal(err)
	}
	if err := dsa.GenerateKey(key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return key
}
