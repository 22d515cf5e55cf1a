package reuse

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"slipway/secret"
)

func ecdsaPEM(t *testing.T) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: spki}))
}

func TestPublicKeys(t *testing.T) {
	_, a, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	inPEM := "-----BEGIN PUBLIC KEY-----\n" + a + "\n-----END PUBLIC KEY-----\n"
	for text, count := range map[string]int{
		"": 0, " \n": 0, a: 1, a + "," + b: 2, a + "\n" + b + "\n": 2, inPEM: 1, inPEM + a: 1, inPEM + b: 2,
	} {
		if keys, err := ParsePublic(text); err != nil || len(keys) != count {
			t.Errorf("%q: %d keys (%v), want %d", text, len(keys), err, count)
		}
	}
	private, public := ecdsaPEM(t)
	mine, _, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	inOneLine := strings.Join(strings.Split(mine.Reveal(), "\n")[1:2], "")
	for text, says := range map[string]string{
		"hello":             `"hello" is no public key`,
		"aGVsbG8=":          "it cannot be read as a key",
		private:             "it is no public key in PEM",
		inOneLine:           "it is a private key, where others may read it",
		public:              "it is a key of the kind ecdsa",
		"-----BEGIN PUBLIC": "it is no public key in PEM",
	} {
		if _, err := ParsePublic(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

func TestPrivateKeysAreNotShown(t *testing.T) {
	other, public := ecdsaPEM(t)
	for text, says := range map[string]string{
		"": "it is no private key in PEM", "c4n4ry": "it is no private key in PEM", public: "it is no private key in PEM", other: "it is a key of the kind ecdsa",
		"-----BEGIN PRIVATE KEY-----\nYzRuNHJ5\n-----END PRIVATE KEY-----\n": "it cannot be read as a key",
	} {
		_, err := ParsePrivate(secret.New(text))
		if err == nil || !strings.Contains(err.Error(), says) || text != "" && strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "YzRuNHJ5") {
			t.Errorf("%v, want %q and nothing of the key", err, says)
		}
	}
}
