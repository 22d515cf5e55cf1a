package portainer

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Error is what stands between this machine and the daemon: Portainer's own answer, or none.
type Error struct {
	// Status is as Docker would have it: 503 for what may go well at another attempt.
	Status   int
	sentence string
	cause    error
}

func (e *Error) Error() string { return e.sentence }

// Unwrap gives the cause, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// answer is the body of Portainer's errors (pkg/libhttp/error). Docker's have no details.
type answer struct {
	Message string `json:"message"`
	Details string `json:"details"`
}

// read gives what an error's body says, and whether it is Portainer that says it.
func read(header http.Header, body []byte) (said answer, portainers, dockers bool) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if kind != "application/json" || json.Unmarshal(body, &said) != nil {
		return answer{}, false, false
	}
	return said, said.Details != "", said.Details == "" && said.Message != ""
}

// refused explains an answer that is Portainer's own, or that of something before it.
func (s *Settings) refused(status int, header http.Header, body []byte) *Error {
	said, portainers, _ := read(header, body)
	text := harmless(strings.TrimRight(said.Message, ". "))
	if said.Details != "" && said.Details != said.Message {
		text += ": " + harmless(said.Details)
	}
	say := func(as int, format string, a ...any) *Error {
		return &Error{Status: as, sentence: fmt.Sprintf(format, a...)}
	}
	switch {
	case status >= 300 && status < 400 && header.Get("Redirect-Reason") == "AdminInitTimeout":
		return say(http.StatusForbidden, "Portainer at %s has no administrator, and has closed itself for that: restart it, and make one within five minutes", s.URL)
	case status >= 300 && status < 400:
		return say(http.StatusForbidden, "Portainer at %s sends on to %s, where the access token is not taken: set SERVER_HOST or PORTAINER_URL to the address that Portainer itself has", s.URL, elsewhere(header.Get("Location")))
	case status == http.StatusUnauthorized && portainers:
		return say(http.StatusUnauthorized, "Portainer at %s does not accept the access token in PORTAINER_TOKEN: it is wrong, or was removed, or its user was. Make a new one there under My account, Access tokens", s.URL)
	case status == http.StatusForbidden && portainers:
		return say(http.StatusForbidden, "Portainer at %s refuses (%s): the user of PORTAINER_TOKEN has to be an administrator", s.URL, text)
	case status == http.StatusNotFound && portainers:
		return say(http.StatusNotFound, "Portainer at %s no longer has this environment (%s): check endpoint= in SERVER_HOST", s.URL, text)
	case status >= 500 && portainers, status == http.StatusRequestTimeout && portainers:
		return say(http.StatusServiceUnavailable, "Portainer at %s does not reach Docker: %s. See in Portainer whether the environment is up", s.URL, text)
	case status == http.StatusBadGateway && len(body) == 0:
		return say(http.StatusServiceUnavailable, "Portainer at %s does not reach Docker (502): the environment is down, or its agent is. See there under Environments", s.URL)
	case status >= 500:
		return say(http.StatusServiceUnavailable, "Portainer at %s does not answer: what stands before it says %d %s", s.URL, status, http.StatusText(status))
	}
	return say(status, "what answers at %s is no Portainer, or not its address: %d %s. Set SERVER_HOST or PORTAINER_URL to what the browser shows for Portainer, without what is behind #", s.URL, status, http.StatusText(status))
}

// unreached explains why there is no answer at all.
func (s *Settings) unreached(err error) *Error {
	var authority x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	var why string
	switch {
	case errors.As(err, &authority):
		why = "its certificate is not signed by an authority that is trusted here: set PORTAINER_CA to the PEM text of the one that did, or to a file with it"
	case errors.As(err, &wrongName):
		why = "its certificate is not for this name (" + wrongName.Error() + "): give it one for the name by which it is reached"
	case errors.As(err, &invalid):
		why = "its certificate is not valid: " + invalid.Error()
	case strings.Contains(err.Error(), "server gave HTTP response"), strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		why = "it does not speak TLS at this port: Portainer's own port for HTTPS is 9443"
	case errors.As(err, &dns):
		why = "there is no host of that name"
	case errors.Is(err, context.DeadlineExceeded):
		why = "no answer in time"
	default:
		why = innermost(err)
	}
	return &Error{Status: http.StatusServiceUnavailable, sentence: fmt.Sprintf("connecting to Portainer at %s: %s", s.URL, why), cause: err}
}

// innermost is an error without the address that was asked for, which may hold a secret.
func innermost(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		return innermost(of.Err)
	}
	return err.Error()
}

// elsewhere is where a redirect leads, without what may be secret in it.
func elsewhere(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "another place"
	}
	return u.Scheme + "://" + u.Host
}

// harmless takes a foreign text's power over terminals away, and bounds it.
func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return strings.TrimSpace(s)
}
