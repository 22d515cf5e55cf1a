// Package portainer reaches a Docker daemon through Portainer's API, with an access token and
// without SSH, and calls the webhooks that Portainer has for services. What it knows of
// Portainer's ways is from the source of its server, 2.23.0.
package portainer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"slipway/secret"
)

// Settings say which Portainer, and which of its environments.
type Settings struct {
	URL      *url.URL // "https://portainer.example.com", with a path where it has one
	Token    secret.Value
	Endpoint string // name or number of the environment; "" where there is only one
	// CA are the authorities to trust, as PEM or the path of a file with it; "" trusts those of
	// this machine.
	CA      string
	Timeout time.Duration // of one question to Portainer itself
}

const scheme = "portainer"

// Is tells whether a server's address (SERVER_HOST) means Portainer.
func Is(server string) bool { return server == scheme || strings.HasPrefix(server, scheme+"://") }

// Parse reads "portainer://host[:port][/path]?endpoint=NAME", which is reached by HTTPS, or
// "portainer", whose address is in another setting (PORTAINER_URL): fallback.
func Parse(server, fallback string) (Settings, error) {
	address, from := "https"+strings.TrimPrefix(server, scheme), "SERVER_HOST"
	if server == scheme {
		if fallback == "" {
			return Settings{}, errors.New("the server is portainer, and its address is not known: set PORTAINER_URL=https://portainer.example.com, or SERVER_HOST=portainer://portainer.example.com?endpoint=NAME")
		}
		address, from = fallback, "PORTAINER_URL"
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return Settings{}, fmt.Errorf("%s is no address of a Portainer: write portainer://portainer.example.com?endpoint=NAME, or set PORTAINER_URL=https://portainer.example.com", from)
	case u.User != nil:
		return Settings{}, fmt.Errorf("%s has a user or a password in it: take them out, and set PORTAINER_TOKEN to an access token", from)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return Settings{}, fmt.Errorf("%s begins with http://, and whoever is on the way could read the access token: use https://", from)
	}
	query := u.Query()
	s := Settings{Endpoint: query.Get("endpoint")}
	query.Del("endpoint")
	if len(query) > 0 || u.Fragment != "" {
		return Settings{}, fmt.Errorf("%s has more behind the address than ?endpoint=NAME: an environment's name with &, # or %% in it is written by its number", from)
	}
	s.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/api")}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport speaks HTTP/1.1 alone, as connections that change their protocol need it, and through
// the proxy that this machine's HTTPS_PROXY names.
func transport(ca string) (*http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 15 * time.Second}
	t.DialContext = (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return t, nil
	}
	text := []byte(ca)
	if !strings.Contains(ca, "-----BEGIN") {
		var err error
		if text, err = os.ReadFile(ca); err != nil {
			return nil, fmt.Errorf("PORTAINER_CA names a file of certificate authorities: %w", err)
		}
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("PORTAINER_CA holds no certificate: it is the PEM text of the authority that signed Portainer's certificate, or a file with it")
	}
	return t, nil
}

// stay makes redirects answers like others: a token goes nowhere but to the address that it was
// given for.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
