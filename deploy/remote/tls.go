package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// tlsFiles are a certificate authority, a client certificate and its key, as PEM texts. The
// last two may be empty together.
type tlsFiles struct {
	ca, cert, key []byte
	skipVerify    bool // a Docker context may say so
	from          string
}

// readCertDir reads the files as the docker command names them.
func readCertDir(dir string) (*tlsFiles, error) {
	files := &tlsFiles{from: dir}
	for name, to := range map[string]*[]byte{"ca.pem": &files.ca, "cert.pem": &files.cert, "key.pem": &files.key} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s has no %s; DOCKER_CERT_PATH is a directory with ca.pem, cert.pem and key.pem", dir, name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the TLS files: %w", err)
		}
		*to = data
	}
	return files, nil
}

func (f *tlsFiles) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.skipVerify} //nolint:gosec // the person's own context says so
	if len(f.ca) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(f.ca) {
			return nil, fmt.Errorf("ca.pem in %s holds no certificate", f.from)
		}
	}
	if len(f.cert) > 0 || len(f.key) > 0 {
		pair, err := tls.X509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("cert.pem and key.pem in %s do not go together: %w", f.from, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
