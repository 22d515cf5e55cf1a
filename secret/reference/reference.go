// Package reference finds the secret that a setting names instead of holding it: env://NAME,
// file://PATH, or vault://MOUNT/PATH#FIELD.
package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"slipway/secret"
)

// Limit is above what anything that takes a secret takes, in bytes.
const Limit = 1 << 20

// schemes are what a reference begins with.
var schemes = []string{"env://", "file://", "vault://"}

// Is tells a reference from a value.
func Is(text string) bool {
	for _, s := range schemes {
		if strings.HasPrefix(text, s) {
			return true
		}
	}
	return false
}

// Resolver resolves references, each once. It is safe for concurrent use.
type Resolver struct {
	// Env gives the variables that env:// names, and where Vault is: VAULT_ADDR, VAULT_TOKEN,
	// VAULT_NAMESPACE and VAULT_CACERT. The rest of Vault's own variables is read by its client.
	Env func(name string) string
	// Home is what "~" means, and where `vault login` leaves its token.
	Home string

	mu   sync.Mutex
	done map[string]secret.Value
}

// Resolve gives the value that a reference names. Errors begin with the reference, which is
// no secret.
func (r *Resolver) Resolve(ctx context.Context, text string) (secret.Value, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.done[text]; ok {
		return v, nil
	}
	v, err := r.read(ctx, text)
	if err == nil && len(v) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s: %w", text, err)
	}
	if r.done == nil {
		r.done = map[string]secret.Value{}
	}
	r.done[text] = secret.New(string(v))
	return r.done[text], nil
}

func (r *Resolver) read(ctx context.Context, text string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	switch scheme {
	case "env":
		v := r.Env(rest)
		if v == "" {
			return nil, errors.New("this environment variable is not set")
		}
		return []byte(v), nil
	case "file":
		data, err := File(r.path(rest))
		data, _ = Line(data)
		return data, err
	case "vault":
		return r.vault(ctx, rest)
	}
	return nil, errors.New("it is no reference: write env://NAME, file://PATH or vault://MOUNT/PATH#FIELD")
}

func (r *Resolver) path(p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok && r.Home != "" {
		return filepath.Join(r.Home, rest)
	}
	return p
}

// File reads a file with a secret.
func File(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, why(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, Limit+1))
	switch {
	case err != nil:
		return nil, why(err)
	case len(data) > Limit:
		return nil, fmt.Errorf("the file is larger than %d KiB", Limit>>10)
	}
	return data, nil
}

func why(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("this user may not read the file")
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("the file cannot be read: %w", err)
}

// Line takes the line end off a value that is one line: editors and echo put it there, and a
// password with it is another password. What has several lines, as certificates and keys have,
// stays byte for byte as it is.
func Line(value []byte) (out []byte, cut bool) {
	i := bytes.IndexByte(value, '\n')
	if i < 0 || i != len(value)-1 {
		return value, false
	}
	return bytes.TrimSuffix(value[:i], []byte("\r")), true
}
