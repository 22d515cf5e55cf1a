package database

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestSettingsDefaults(t *testing.T) {
	config, err := Settings(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	got := config.ConnConfig
	if got.Host != "postgres" || got.Port != 5432 || got.Database != "PROJECT" || got.User != "project-prod" || got.Password != "" {
		t.Errorf("%s:%d %s %s %q", got.Host, got.Port, got.Database, got.User, got.Password)
	}
	if got.ConnectTimeout != connectTimeout {
		t.Errorf("a connection attempt is bounded by %s", got.ConnectTimeout)
	}
}

func TestSettingsFromEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(" p&s='s \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := Settings(environment(map[string]string{
		"DB_HOST": "db.example.org", "DB_PORT": "5433", "DB_NAME": "a b&c+d", "DB_USER": "u=1", "DB_PASS_FILE": file,
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := config.ConnConfig
	if got.Host != "db.example.org" || got.Port != 5433 || got.Database != "a b&c+d" || got.User != "u=1" {
		t.Errorf("%s:%d %s %s", got.Host, got.Port, got.Database, got.User)
	}
	if want := " p&s='s "; got.Password != want { // only the line's end is not part of it
		t.Errorf("password %q, want %q", got.Password, want)
	}
}

func TestSettingsErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, value, says string }{
		{"DB_PORT", "http", `DB_PORT: "http" is not a port number`},
		{"DB_PORT", "70000", `DB_PORT: "70000" is not a port number`},
		{"DB_PASS_FILE", "/does/not/exist", "DB_PASS_FILE): open /does/not/exist"},
		{"DB_PASS_FILE", empty, empty + " is empty"},
	} {
		_, err := Settings(environment(map[string]string{test.name: test.value}))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s=%s: %v", test.name, test.value, err)
		}
	}
}
