package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// patience bounds all that is asked of Vault for one reference.
const patience = 20 * time.Second

// vault reads MOUNT/PATH#FIELD from a key-value engine of either version.
func (r *Resolver) vault(ctx context.Context, text string) ([]byte, error) {
	path, field, _ := strings.Cut(text, "#")
	path = strings.Trim(path, "/")
	if field == "" || !strings.Contains(path, "/") {
		return nil, errors.New("write it as vault://MOUNT/PATH#FIELD: vault://secret/shop/database#password")
	}
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v := vaultServer{client, shown(client.Address())}
	mount, version, err := v.mount(ctx, path)
	if err != nil {
		return nil, err
	}
	rest := strings.TrimPrefix(path, mount)
	if version == 2 {
		path = mount + "data/" + rest
	}
	data, err := v.read(ctx, path, version)
	switch {
	case err != nil:
		return nil, err
	case data == nil && version == 2 && strings.HasPrefix(rest, "data/"):
		return nil, fmt.Errorf("there is no secret %s below %s in Vault at %s: leave data/ out, which this engine's addresses have and its secrets' names do not", rest, mount, v.name)
	case data == nil:
		return nil, fmt.Errorf("there is no secret %s below %s in Vault at %s, or it was deleted", rest, mount, v.name)
	}
	value, ok := data[field]
	if !ok {
		return nil, fmt.Errorf("the secret has no field %q: it has %s", field, strings.Join(slices.Sorted(maps.Keys(data)), ", "))
	}
	switch value := value.(type) {
	case string:
		return []byte(value), nil
	case json.Number:
		return []byte(value), nil
	}
	return nil, fmt.Errorf("the field %q is no text", field)
}

// client is Vault's own, with what Env says.
func (r *Resolver) client() (*api.Client, error) {
	address := r.Env("VAULT_ADDR")
	if address == "" {
		return nil, errors.New("where Vault is, is not known: set VAULT_ADDR to its address (https://vault.example.com:8200)")
	}
	token := r.Env("VAULT_TOKEN")
	if token == "" && r.Home != "" {
		data, _ := os.ReadFile(filepath.Join(r.Home, ".vault-token"))
		token = strings.TrimSpace(string(data))
	}
	if token == "" {
		return nil, errors.New("there is no token for Vault: set VAULT_TOKEN, or log in with vault login")
	}
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, fmt.Errorf("reading Vault's settings (VAULT_…): %w", config.Error)
	}
	config.Address, config.Timeout = address, patience/2
	config.MinRetryWait, config.MaxRetryWait = 200*time.Millisecond, 400*time.Millisecond
	if ca := r.Env("VAULT_CACERT"); ca != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: ca}); err != nil {
			return nil, fmt.Errorf("reading VAULT_CACERT: %w", err)
		}
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("VAULT_ADDR is no address of a Vault: write it as https://vault.example.com:8200")
	}
	client.SetToken(token)
	if ns := r.Env("VAULT_NAMESPACE"); ns != "" {
		client.SetNamespace(ns)
	}
	return client, nil
}

type vaultServer struct {
	client *api.Client
	name   string
}

// mount finds where the engine begins that a path is in, and its version, as Vault's own
// command does (command/kv_helpers.go, kvPreflightVersionRequest).
func (v vaultServer) mount(ctx context.Context, path string) (mount string, version int, err error) {
	data, err := v.read(ctx, "sys/internal/ui/mounts/"+path, 0)
	if err != nil {
		return "", 0, err
	}
	mount, _ = data["path"].(string)
	if mount == "" || !strings.HasPrefix(path+"/", mount) {
		return "", 0, fmt.Errorf("Vault at %s has no secrets engine that %s could be in", v.name, path)
	}
	if kind, _ := data["type"].(string); kind != "kv" && kind != "generic" {
		return "", 0, fmt.Errorf("the secrets engine at %s in Vault at %s is of the type %s, and only key-value engines can be read", mount, v.name, kind)
	}
	if options, _ := data["options"].(map[string]any); options["version"] == "2" {
		return mount, 2, nil
	}
	return mount, 1, nil
}

// read gives the fields at an address, nil where nothing is. The second version of the engine
// has them one level down.
func (v vaultServer) read(ctx context.Context, path string, version int) (map[string]any, error) {
	got, err := v.client.Logical().ReadWithContext(ctx, path)
	if err != nil {
		return nil, v.explain(path, err)
	}
	if got == nil || got.Data == nil {
		return nil, nil
	}
	if version == 2 {
		inner, _ := got.Data["data"].(map[string]any)
		return inner, nil
	}
	return got.Data, nil
}

func (v vaultServer) explain(path string, err error) error {
	var answer *api.ResponseError
	if !errors.As(err, &answer) {
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("nothing came within %s", patience)
		}
		return fmt.Errorf("Vault at %s does not answer: %w. Check VAULT_ADDR and the firewalls on the way, and VAULT_CACERT where its certificate is from an authority of its own", v.name, err)
	}
	said := strings.Join(answer.Errors, "; ")
	if len(said) > 300 || answer.RawError {
		said = http.StatusText(answer.StatusCode)
	}
	switch answer.StatusCode {
	case http.StatusForbidden:
		return fmt.Errorf("Vault at %s does not let this token read %s: the token may have run out, or its policy does not allow it (%s)", v.name, path, said)
	case http.StatusServiceUnavailable:
		return fmt.Errorf("Vault at %s is sealed or under maintenance (%s): have it unsealed, then try again", v.name, said)
	}
	return fmt.Errorf("Vault at %s answers %d to the question for %s: %s", v.name, answer.StatusCode, path, said)
}

// shown is an address without a password that may be in it.
func shown(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return "VAULT_ADDR"
}
