package reference

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/vault"
)

func variables(all map[string]string) func(string) string {
	return func(n string) string { return all[n] }
}

func TestReferences(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(home, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pem := "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	r := &Resolver{Env: variables(map[string]string{"PASSWORD": "from env\n"}), Home: home}
	for _, c := range []struct{ text, want string }{
		{"env://PASSWORD", "from env\n"},
		{"file://" + write("line", "one line\n"), "one line"},
		{"file://" + write("crlf", "one line\r\n"), "one line"},
		{"file://" + write("bare", "bare"), "bare"},
		{"file://" + write("two", "one line\n\n"), "one line\n\n"},
		{"file://" + write("pem", pem), pem},
		{"file://~/bare", "bare"},
	} {
		got, err := r.Resolve(t.Context(), c.text)
		if err != nil || got.Reveal() != c.want {
			t.Errorf("%s: %q, %v; want %q", c.text, got.Reveal(), err, c.want)
		}
	}
	for _, c := range []struct{ text, says string }{
		{"env://NOWHERE", "env://NOWHERE: this environment variable is not set"},
		{"file:///no/such/file", "file:///no/such/file: there is no such file"},
		{"file://" + home, "the file cannot be read: is a directory"},
		{"file://" + write("empty", "\n"), "it is empty"},
		{"file://" + write("large", strings.Repeat("x", Limit+1)), "larger than 1024 KiB"},
		{"vault://secret/app#password", "set VAULT_ADDR to its address"},
		{"ftp://x", "it is no reference"},
	} {
		if v, err := r.Resolve(t.Context(), c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v; want an error with %q", c.text, v.Reveal(), err, c.says)
		}
	}
	for text, is := range map[string]bool{"env://A": true, "file:///a": true, "vault://a/b#c": true, "a": false, "https://a": false, "-----BEGIN": false, "telegram://t@telegram": false} {
		if Is(text) != is {
			t.Errorf("Is(%q) is %t", text, !is)
		}
	}
}

const canary = "c4n4ry-from-vault"

func options() vault.Options {
	return vault.Options{
		Token: "t0ken-of-tests",
		V1:    map[string]map[string]map[string]any{"old": {"app": {"password": "first " + canary}}},
		V2: map[string]map[string]map[string]any{
			"secret":   {"shop/database": {"password": canary, "port": 5432, "user": "shop", "nested": map[string]any{"a": 1}}, "shop/gone": nil, "shop/denied": {"a": "b"}},
			"team/kv2": {"app": {"certificate": "-----BEGIN\nx\n-----END\n"}},
		},
		Denied: []string{"secret/data/shop/denied"},
		Other:  map[string]string{"pki": "pki"},
	}
}

func TestVault(t *testing.T) {
	server := vault.Start(t, options())
	r := &Resolver{Env: variables(map[string]string{"VAULT_ADDR": server.Address, "VAULT_TOKEN": "t0ken-of-tests"})}
	for _, c := range []struct{ text, want string }{
		{"vault://old/app#password", "first " + canary},
		{"vault://secret/shop/database#password", canary},
		{"vault://secret/shop/database#port", "5432"},
		{"vault://team/kv2/app#certificate", "-----BEGIN\nx\n-----END\n"},
	} {
		got, err := r.Resolve(t.Context(), c.text)
		if err != nil || got.Reveal() != c.want {
			t.Errorf("%s: %q, %v; want %q", c.text, got.Reveal(), err, c.want)
		}
	}
	before := len(server.Reads())
	if _, err := r.Resolve(t.Context(), "vault://secret/shop/database#password"); err != nil || len(server.Reads()) != before {
		t.Errorf("a reference that was resolved is asked for again: %v (%v)", server.Reads(), err)
	}
	for _, c := range []struct{ text, says string }{
		{"vault://secret/shop/database", "write it as vault://MOUNT/PATH#FIELD"},
		{"vault://secret#password", "write it as vault://MOUNT/PATH#FIELD"},
		{"vault://secret/shop/database#pasword", `the secret has no field "pasword": it has nested, password, port, user`},
		{"vault://secret/shop/database#nested", `the field "nested" is no text`},
		{"vault://secret/shop/other#password", "there is no secret shop/other below secret/"},
		{"vault://secret/shop/gone#password", "there is no secret shop/gone below secret/ in Vault at " + server.Address + ", or it was deleted"},
		{"vault://secret/data/shop/database#password", "leave data/ out"},
		{"vault://secret/shop/denied#a", "does not let this token read secret/data/shop/denied"},
		{"vault://nowhere/app#a", "does not let this token read sys/internal/ui/mounts/nowhere/app"},
		{"vault://pki/ca#a", "is of the type pki"},
	} {
		if v, err := r.Resolve(t.Context(), c.text); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %q, %v; want an error with %q", c.text, v.Reveal(), err, c.says)
		}
	}
}

func TestVaultThatDoesNotAnswerAsItShould(t *testing.T) {
	good, sealed := vault.Start(t, options()), vault.Start(t, options())
	sealed.Seal()
	safe := options()
	safe.TLS, safe.Namespace = true, "team"
	secure := vault.Start(t, safe)
	const text = "vault://secret/shop/database#password"
	for _, c := range []struct {
		name string
		env  map[string]string
		says string // "" where it goes well
	}{
		{"wrong token", map[string]string{"VAULT_ADDR": good.Address, "VAULT_TOKEN": "w4ong"}, "the token may have run out"},
		{"no token", map[string]string{"VAULT_ADDR": good.Address}, "set VAULT_TOKEN, or log in with vault login"},
		{"sealed", map[string]string{"VAULT_ADDR": sealed.Address, "VAULT_TOKEN": "t0ken-of-tests"}, "is sealed or under maintenance (Vault is sealed)"},
		{"nobody there", map[string]string{"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "t0ken-of-tests"}, "Vault at http://127.0.0.1:1 does not answer: "},
		{"no address", map[string]string{"VAULT_ADDR": "::", "VAULT_TOKEN": "t0ken-of-tests"}, "VAULT_ADDR is no address of a Vault"},
		{"unknown authority", map[string]string{"VAULT_ADDR": secure.Address, "VAULT_TOKEN": "t0ken-of-tests", "VAULT_NAMESPACE": "team"}, "VAULT_CACERT where its certificate is"},
		{"its authority", map[string]string{"VAULT_ADDR": secure.Address, "VAULT_TOKEN": "t0ken-of-tests", "VAULT_NAMESPACE": "team", "VAULT_CACERT": secure.CACert}, ""},
		{"another namespace", map[string]string{"VAULT_ADDR": secure.Address, "VAULT_TOKEN": "t0ken-of-tests", "VAULT_CACERT": secure.CACert}, "does not let this token read"},
		{"no such authority", map[string]string{"VAULT_ADDR": secure.Address, "VAULT_TOKEN": "t0ken-of-tests", "VAULT_CACERT": "/no/such.pem"}, "reading VAULT_CACERT"},
	} {
		v, err := (&Resolver{Env: variables(c.env)}).Resolve(t.Context(), text)
		switch {
		case c.says == "" && (err != nil || v.Reveal() != canary):
			t.Errorf("%s: %v", c.name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.says)
		case err != nil && (strings.Contains(err.Error(), "t0ken") || strings.Contains(err.Error(), "w4ong")):
			t.Errorf("%s: the error shows the token: %v", c.name, err)
		}
	}
}

func TestTheTokenOfVaultLogin(t *testing.T) {
	server, home := vault.Start(t, options()), t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".vault-token"), []byte("t0ken-of-tests\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Env: variables(map[string]string{"VAULT_ADDR": server.Address}), Home: home}
	if v, err := r.Resolve(t.Context(), "vault://old/app#password"); err != nil || v.Empty() {
		t.Errorf("%v", err)
	}
}
