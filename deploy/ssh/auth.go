package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// credentials are what a login may use. close ends the talk with the agent.
type credentials struct {
	signers []ssh.Signer
	close   func()
}

func loadCredentials(ctx context.Context, o Options) (*credentials, error) {
	refuse := func(format string, a ...any) error {
		return &problem{ErrDenied, "logging in to " + o.String() + " over SSH: " + fmt.Sprintf(format, a...), nil}
	}
	if o.Key.Empty() && o.Agent == "" {
		return nil, refuse("there is neither a key nor an agent; set SSH_KEY to a private key or its path, or start an agent (SSH_AUTH_SOCK)")
	}
	var only ssh.PublicKey
	if !o.Key.Empty() {
		signer, err := parseKey(o.Key.Reveal())
		var locked *ssh.PassphraseMissingError
		switch {
		case err == nil:
			return &credentials{[]ssh.Signer{signer}, func() {}}, nil
		case errors.As(err, &locked) && o.Agent != "":
			only = locked.PublicKey
		case errors.As(err, &locked):
			return nil, refuse("the key has a passphrase, which cannot be asked for here; hold it in an agent (ssh-add, SSH_AUTH_SOCK) or use a key for deploys without one (ssh-keygen -t ed25519 -N '' -f deploy_key)")
		default:
			return nil, refuse("%v", err)
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", o.Agent)
	if err != nil {
		return nil, refuse("the agent at %s does not answer (%v); start one, or set SSH_KEY", o.Agent, errors.Unwrap(err))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	done := func() { stop(); _ = conn.Close() }
	signers, err := agent.NewClient(conn).Signers()
	if err == nil && only != nil {
		signers = pick(signers, only)
		if len(signers) == 0 {
			err = fmt.Errorf("it does not hold the key %s, which has a passphrase; run ssh-add", describe(only))
		}
	}
	if err == nil && len(signers) == 0 {
		err = errors.New("it holds no key; run ssh-add")
	}
	if err != nil {
		done()
		return nil, refuse("the agent at %s is of no help: %v", o.Agent, err)
	}
	return &credentials{signers, done}, nil
}

func pick(signers []ssh.Signer, only ssh.PublicKey) []ssh.Signer {
	for _, signer := range signers {
		if string(signer.PublicKey().Marshal()) == string(only.Marshal()) {
			return []ssh.Signer{signer}
		}
	}
	return nil
}

// parseKey reads a private key, or the file that text names. No error shows the text
// unless it is the path of a file that is there: what else it is may be secret.
func parseKey(text string) (ssh.Signer, error) {
	where := "SSH_KEY"
	if !strings.Contains(text, "-----BEGIN") {
		path := expandHome(strings.TrimSpace(text))
		data, err := os.ReadFile(path)
		switch {
		case err == nil:
			where, text = path, string(data)
		case strings.HasPrefix(text, "ssh-") || strings.HasPrefix(text, "ecdsa-"):
			return nil, errors.New("SSH_KEY holds a public key; it takes the private one")
		case strings.HasPrefix(text, "PuTTY-User-Key-File"):
			return nil, errors.New("SSH_KEY holds a key in PuTTY's format; convert it (puttygen key.ppk -O private-openssh -o key)")
		case errors.Is(err, os.ErrPermission):
			return nil, errors.New("SSH_KEY names a file that this user may not read")
		default:
			return nil, errors.New("SSH_KEY is neither a private key (-----BEGIN …) nor the path of a file")
		}
	}
	signer, err := ssh.ParsePrivateKey([]byte(text))
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil, errors.As(err, &locked):
		return signer, err
	case strings.Contains(text, "PUBLIC KEY") || strings.HasPrefix(text, "ssh-"):
		return nil, fmt.Errorf("%s holds a public key; the private one is needed", where)
	}
	// The library's reason is about the encoding and may quote a piece of it.
	return nil, fmt.Errorf("%s holds no private key that can be read; it must be whole, from -----BEGIN to END-----, with its line breaks", where)
}

func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

// refused says that the server let nobody in. sshd does not tell a wrong key from an
// unknown user, on purpose.
func refused(o Options, signers []ssh.Signer, cause error) error {
	if !strings.Contains(cause.Error(), "publickey") {
		return &problem{ErrDenied, fmt.Sprintf("logging in to %s over SSH: the server does not take keys; its sshd_config needs PubkeyAuthentication yes, and no other AuthenticationMethods", o), cause}
	}
	root := ""
	if o.User == "root" {
		root = ", or root may not log in (PermitRootLogin)"
	}
	if len(signers) != 1 {
		return &problem{ErrDenied, fmt.Sprintf("logging in to %s over SSH: refused with each of the agent's %d keys. Either there is no user %s%s, or none of the keys is in its authorized_keys", o, len(signers), o.User, root), cause}
	}
	key := signers[0].PublicKey()
	return &problem{ErrDenied, fmt.Sprintf("logging in to %s over SSH: refused with the key %s. Either there is no user %s%s, or the key is not in its authorized_keys; the line to add there is: %s",
		o, describe(key), o.User, root, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))), cause}
}
