// Package cabundle makes the CA bundle that slipway puts into build contexts: the roots
// that Mozilla trusts, as golang.org/x/crypto carries them. It is part of slipway's version
// and not of the machine, so that an image is the same wherever it is built.
package cabundle

import (
	"bytes"
	"encoding/pem"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// PEM is the bundle as certificates in PEM. Roots that Mozilla trusts only with limits
// (certificates issued before a date, say) are left out: a file of certificates cannot
// express a limit, and without it they would be trusted more than Mozilla does.
var PEM = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer does not fail
		}
	}
	return out.Bytes()
})
