package cabundle

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// What images get is a bundle that TLS clients take, the same at every call.
func TestTheBundleHoldsRootsOfTheWeb(t *testing.T) {
	if !x509.NewCertPool().AppendCertsFromPEM(PEM()) {
		t.Fatal("it holds no certificate")
	}
	found := map[string]bool{}
	for rest := PEM(); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				t.Errorf("it ends with %q", rest)
			}
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatalf("a certificate that cannot be read: %v", err)
		}
		if !cert.IsCA {
			t.Errorf("%s is no CA", cert.Subject)
		}
		found[cert.Subject.CommonName] = true
	}
	for _, name := range []string{"ISRG Root X1", "DigiCert Global Root G2", "GTS Root R1"} {
		if !found[name] {
			t.Errorf("%s is missing", name)
		}
	}
}
