package ssh

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// pins are the host keys that known_hosts text allows.
type pins struct {
	db *knownhosts.HostKeyDB
}

// parseKnownHosts reads known_hosts text. The library reads files only, so the text, which
// is not secret, passes through one.
func parseKnownHosts(text string) (*pins, error) {
	if path := strings.TrimSpace(text); path != "" && !strings.ContainsAny(path, " \t\n") {
		data, err := os.ReadFile(expandHome(path)) // as GitLab's variables of type File are
		if err != nil {
			return nil, &problem{ErrHostKey, fmt.Sprintf("reading the known hosts: SSH_KNOWN_HOSTS is neither lines as ssh-keyscan prints them nor a file that can be read: %v", err), err}
		}
		text = string(data)
	}
	file, err := os.CreateTemp("", "known_hosts-")
	if err != nil {
		return nil, fmt.Errorf("reading the known hosts: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // a temporary file
	_, err = file.WriteString(strings.ReplaceAll(text, "\r\n", "\n"))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading the known hosts: %w", err)
	}
	db, err := knownhosts.NewDB(file.Name())
	if err != nil {
		reason := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "knownhosts: "), file.Name()+":", "line ")
		return nil, &problem{ErrHostKey, "reading the known hosts: " + strings.ReplaceAll(reason, "knownhosts: ", "") +
			"; SSH_KNOWN_HOSTS takes lines as ssh-keyscan prints them", nil}
	}
	return &pins{db: db}, nil
}

// weak are host key algorithms that rest on SHA-1 or DSA; the libraries would offer them.
var weak = []string{ssh.KeyAlgoRSA, ssh.CertAlgoRSAv01, "ssh-dss", "ssh-dss-cert-v01@openssh.com"}

// algorithms are what may be offered to the server, so that one with several keys shows a
// pinned one. None means that no key is pinned: then any is looked at, to be named and refused.
func (p *pins) algorithms(o Options) []string {
	pinned := p.db.HostKeyAlgorithms(o.Address())
	strong := slices.DeleteFunc(slices.Clone(pinned), isWeak)
	if len(pinned) > 0 && len(strong) == 0 { // an empty list means all to the library, the weak ones too
		return ssh.SupportedAlgorithms().HostKeys
	}
	return strong
}

func isWeak(algorithm string) bool { return slices.Contains(weak, algorithm) }

// check is what decides on the key that a server shows, and says what to do if it is refused.
func (p *pins) check(o Options) ssh.HostKeyCallback {
	decide := p.db.HostKeyCallback()
	return func(address string, remote net.Addr, key ssh.PublicKey) error {
		err := decide(address, remote, key)
		if err == nil {
			return nil
		}
		var keyError *xknownhosts.KeyError
		var revoked *xknownhosts.RevokedError
		say := func(format string, a ...any) error {
			return &problem{ErrHostKey, "connecting to " + o.String() + " over SSH: " + fmt.Sprintf(format, a...), err}
		}
		switch {
		case errors.As(err, &revoked):
			return say("the server's host key %s is marked @revoked in line %d of the known hosts; it must get a new one", describe(key), revoked.Revoked.Line)
		case errors.As(err, &keyError) && len(keyError.Want) == 0:
			return say("its host key is not pinned. The server shows %s. If its administrator confirms that (ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub on the server), put the output of `%s` into SSH_KNOWN_HOSTS",
				describe(key), shortType(key), keyscan(o))
		case errors.As(err, &keyError):
			return say("its host key has changed. The server shows %s, but pinned is %s. Either it was set up anew, or somebody is in between. If its administrator confirms the new one (ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub on the server), replace the line in SSH_KNOWN_HOSTS by the output of `%s`",
				describe(key), describeAll(keyError.Want), shortType(key), keyscan(o))
		}
		return say("its host key %s is not accepted: %s", describe(key), strings.TrimPrefix(err.Error(), "ssh: "))
	}
}

// noCommonKey says that the server has none of the kinds of keys that are pinned.
func noCommonKey(o Options, negotiation *ssh.AlgorithmNegotiationError) error {
	if !slices.ContainsFunc(negotiation.RequestedAlgorithms, func(a string) bool { return !isWeak(a) }) {
		return &problem{ErrHostKey, fmt.Sprintf("connecting to %s over SSH: it proves who it is only by %s, which others can forge; give it a key of today (ssh-keygen -A on the server, and no HostKeyAlgorithms in its sshd_config), and put the output of `%s` into SSH_KNOWN_HOSTS",
			o, strings.Join(negotiation.RequestedAlgorithms, ", "), keyscan(o)), negotiation}
	}
	return &problem{ErrHostKey, fmt.Sprintf("connecting to %s over SSH: it has no host key of a pinned kind. Pinned: %s; the server has: %s. If its administrator confirms the new keys, put the output of `%s` into SSH_KNOWN_HOSTS",
		o, strings.Join(negotiation.SupportedAlgorithms, ", "), strings.Join(negotiation.RequestedAlgorithms, ", "), keyscan(o)), negotiation}
}

func describe(key ssh.PublicKey) string {
	if certificate, ok := key.(*ssh.Certificate); ok {
		return fmt.Sprintf("a certificate for %s by %s", describe(certificate.Key), describe(certificate.SignatureKey))
	}
	return key.Type() + " " + ssh.FingerprintSHA256(key)
}

func describeAll(keys []xknownhosts.KnownKey) string {
	var all []string
	for _, known := range keys {
		all = append(all, fmt.Sprintf("%s (line %d)", describe(known.Key), known.Line))
	}
	return strings.Join(all, ", ")
}

// shortType is how sshd's files name a kind of key: /etc/ssh/ssh_host_ed25519_key.
func shortType(key ssh.PublicKey) string {
	switch {
	case strings.Contains(key.Type(), "ed25519"):
		return "ed25519"
	case strings.Contains(key.Type(), "ecdsa"):
		return "ecdsa"
	}
	return "rsa"
}

func keyscan(o Options) string {
	if o.port() == 22 {
		return "ssh-keyscan " + o.Host
	}
	return fmt.Sprintf("ssh-keyscan -p %d %s", o.port(), o.Host)
}
