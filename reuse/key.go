package reuse

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"

	"slipway/secret"
)

// PublicKey is an Ed25519 key whose signatures count.
type PublicKey struct {
	// ID is in-toto's: the SHA-256 of the key in canonical JSON, in hex.
	ID  string
	key *signerverifier.ED25519SignerVerifier
}

// Short is what people tell keys apart by.
func (k PublicKey) Short() string { return k.ID[:min(12, len(k.ID))] }

// PrivateKey signs. Nothing prints it.
type PrivateKey struct {
	Public PublicKey
	key    *signerverifier.ED25519SignerVerifier
}

const (
	privateBlock = "PRIVATE KEY" // PKCS#8 (RFC 5208), as `openssl genpkey -algorithm ed25519` writes it
	publicBlock  = "PUBLIC KEY"  // SubjectPublicKeyInfo (RFC 5280, RFC 8410)
)

// Generate makes a pair: the private key in PEM, and the public one in the one line that
// ParsePublic reads.
func Generate() (private secret.Value, public string, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return secret.Value{}, "", fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return secret.Value{}, "", fmt.Errorf("writing the private key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return secret.Value{}, "", fmt.Errorf("writing the public key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})
	return secret.New(string(text)), base64.StdEncoding.EncodeToString(spki), nil
}

// ParsePrivate reads a private key in PEM. Its errors do not show what they read.
func ParsePrivate(text secret.Value) (*PrivateKey, error) {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil || block.Type != privateBlock {
		return nil, errors.New("it is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
	}
	key, err := load(pem.EncodeToMemory(block))
	if err != nil {
		return nil, err
	}
	if _, err := key.Sign(context.Background(), nil); err != nil {
		return nil, errors.New("it is no private key")
	}
	id, err := key.KeyID()
	return &PrivateKey{Public: PublicKey{ID: id, key: key}, key: key}, err
}

// ParsePublic reads public keys: each a PEM block, or its base64 in one line. Between those are
// spaces, commas or line ends.
func ParsePublic(text string) ([]PublicKey, error) {
	var out []PublicKey
	add := func(block *pem.Block) error {
		key, err := load(pem.EncodeToMemory(block))
		if err != nil {
			return err
		}
		if _, err := key.Sign(context.Background(), nil); err == nil {
			return errors.New("it is a private key, where others may read it: make another pair with ci:keys, and write the public one here")
		}
		id, err := key.KeyID()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(out, func(k PublicKey) bool { return k.ID == id }) {
			out = append(out, PublicKey{ID: id, key: key})
		}
		return nil
	}
	rest := []byte(text)
	for strings.Contains(string(rest), "-----BEGIN") {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != publicBlock {
			return nil, errors.New("it is no public key in PEM (-----BEGIN PUBLIC KEY-----)")
		}
		if err := add(block); err != nil {
			return nil, err
		}
		rest = after
	}
	for _, word := range strings.FieldsFunc(string(rest), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		der, err := base64.StdEncoding.DecodeString(word)
		if err != nil {
			return nil, fmt.Errorf("%q is no public key: write it as ci:keys prints it (MCow…), or in PEM", short(word))
		}
		if err := add(&pem.Block{Type: publicBlock, Bytes: der}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func load(pemText []byte) (*signerverifier.ED25519SignerVerifier, error) {
	key, err := signerverifier.LoadKey(pemText)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read as a key: %w", err)
	}
	if key.KeyType != signerverifier.ED25519KeyType {
		return nil, fmt.Errorf("it is a key of the kind %s, and only Ed25519 keys are used here: ci:keys makes one", key.KeyType)
	}
	return signerverifier.NewED25519SignerVerifierFromSSLibKey(key)
}
