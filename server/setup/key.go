package setup

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"

	"slipway/secret"
)

// PublicOf gives the public half of a private key, which is its text or the path of its file.
func PublicOf(key secret.Value) (string, error) {
	text := key.Reveal()
	if !strings.Contains(text, "-----BEGIN") {
		data, err := os.ReadFile(text)
		if err != nil {
			return "", errors.New("SSH_KEY is neither a private key nor a file that can be read")
		}
		text = string(data)
	}
	signer, err := ssh.ParsePrivateKey([]byte(text))
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), nil
	case errors.As(err, &locked) && locked.PublicKey != nil:
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(locked.PublicKey))), nil
	}
	return "", errors.New("SSH_KEY holds no private key whose public half can be read: give that with -deployKey=FILE.pub")
}

// SameKey tells whether two lines of authorized_keys have the same key.
func SameKey(a, b string) bool {
	one, err := publicKey(a)
	two, fault := publicKey(b)
	return err == nil && fault == nil && one == two
}

// RegistryUser makes the line of htpasswd for a registry's only user, or tells that the host's
// own line is already for this user and password. Registries take bcrypt alone.
func RegistryUser(there, user string, password secret.Value) (line secret.Value, same bool, err error) {
	if name, hash, ok := strings.Cut(strings.TrimSpace(there), ":"); ok && name == user &&
		bcrypt.CompareHashAndPassword([]byte(hash), []byte(password.Reveal())) == nil {
		return secret.Value{}, true, nil
	}
	if user == "" || strings.ContainsAny(user, ": \t\n") {
		return secret.Value{}, false, errors.New("the registry's user (REGISTRY_USER) must be a name without blanks and colons")
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password.Reveal()), bcrypt.DefaultCost)
	if err != nil {
		return secret.Value{}, false, errors.New("the registry's password (REGISTRY_PASSWORD) cannot be used: it has at most 72 bytes")
	}
	return secret.New(user + ":" + string(hash) + "\n"), false, nil
}
