package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/registry"
	"slipway/secret"
)

// A password for pushing may be named by reference.
func TestLoginFollowsReferences(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{"plain": "plain", "file://" + file: "from a file"} {
		m := machine{credentials: &registry.Credentials{User: "anna", Password: secret.New(given)}}
		got, err := m.login(t.Context())
		if err != nil || got.User != "anna" || got.Password.Reveal() != want {
			t.Errorf("%s: %q (%v), want %q", given, got.Password.Reveal(), err, want)
		}
	}
	if got, err := (machine{}).login(t.Context()); got != nil || err != nil {
		t.Errorf("without credentials there are %v (%v)", got, err)
	}
	_, err := machine{credentials: &registry.Credentials{Password: secret.New("file:///no/such")}}.login(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "REGISTRY_PASSWORD is file:///no/such: there is no such file") {
		t.Errorf("a reference that leads nowhere: %v", err)
	}
}
