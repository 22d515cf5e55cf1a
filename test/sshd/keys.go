package sshd

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

type hostKey struct {
	kind   string
	signer ssh.Signer
}

// NewKey makes a private key ("ed25519", "rsa" or "ecdsa"), as the text of a PEM file, with
// a passphrase where one is given.
func NewKey(t testing.TB, kind, passphrase string) (pemText string, public ssh.PublicKey) {
	t.Helper()
	text, signer, err := newKey(kind, passphrase)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	return text, signer.PublicKey()
}

func newKey(kind, passphrase string) (string, ssh.Signer, error) {
	var key crypto.Signer
	var err error
	switch kind {
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		err = fmt.Errorf("there are no keys of kind %q: ed25519, rsa or ecdsa", kind)
	}
	if err != nil {
		return "", nil, err
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		return "", nil, err
	}
	signer, err := ssh.NewSignerFromSigner(key)
	return string(pem.EncodeToMemory(block)), signer, err
}

// makeHostKeys writes the server's host keys, and certificates for them where asked for.
func (s *Server) makeHostKeys() error {
	kinds := s.options.HostKeys
	if len(kinds) == 0 {
		kinds = []string{"ed25519", "rsa", "ecdsa"}
	}
	if s.options.HostCertificates {
		_, signer, err := newKey("ed25519", "")
		if err != nil {
			return err
		}
		s.ca = &hostKey{kind: "ed25519", signer: signer}
	}
	for _, kind := range kinds {
		text, signer, err := newKey(kind, "")
		if err != nil {
			return err
		}
		if err := os.WriteFile(s.hostKeyFile(kind), []byte(text), 0o600); err != nil {
			return err
		}
		s.hostKeys = append(s.hostKeys, hostKey{kind, signer})
		if s.ca == nil {
			continue
		}
		certificate := &ssh.Certificate{
			Key: signer.PublicKey(), CertType: ssh.HostCert, KeyId: "test",
			ValidPrincipals: []string{s.Host}, ValidBefore: ssh.CertTimeInfinity,
		}
		if err := certificate.SignCert(rand.Reader, s.ca.signer); err != nil {
			return err
		}
		if err := os.WriteFile(s.hostKeyFile(kind)+"-cert.pub", ssh.MarshalAuthorizedKey(certificate), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) hostKeyFile(kind string) string { return filepath.Join(s.dir, "host_"+kind) }

// HostKey is the server's public key of a kind.
func (s *Server) HostKey(kind string) ssh.PublicKey {
	s.t.Helper()
	for _, key := range s.hostKeys {
		if key.kind == kind {
			return key.signer.PublicKey()
		}
	}
	s.t.Fatalf("the SSH server has no %s host key", kind)
	return nil
}

// Line is a line of known_hosts that pins key for this server's address.
func (s *Server) Line(key ssh.PublicKey) string { return KnownHostsLine(s.Address(), key) }

// KnownHostsLine is a line of known_hosts that pins key for an address ("host:port").
func KnownHostsLine(address string, key ssh.PublicKey) string {
	return knownhosts.Line([]string{address}, key) + "\n"
}

// KnownHosts are the lines of known_hosts for all of the server's keys, as ssh-keyscan gives.
func (s *Server) KnownHosts() (lines string) {
	for _, key := range s.hostKeys {
		lines += s.Line(key.signer.PublicKey())
	}
	return lines
}

// CALine is a line of known_hosts that trusts the authority behind Options.HostCertificates.
func (s *Server) CALine() string {
	s.t.Helper()
	if s.ca == nil {
		s.t.Fatal("the SSH server was started without Options.HostCertificates")
	}
	return "@cert-authority " + s.Line(s.ca.signer.PublicKey())
}
