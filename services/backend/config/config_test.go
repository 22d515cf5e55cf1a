package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	for content, want := range map[string]string{
		"[http]\nbind-host = \"0.0.0.0\"": "0.0.0.0",
		"[http]\nbind-host = '::1'":       "::1",
		"[http]\nbind-host = 'localhost'": "localhost",
		"[http]\n":                        "",
		"":                                "",
	} {
		got, err := Load(written(t, content))
		if err != nil || got.HTTP.BindHost != want {
			t.Errorf("%q: %+v, %v", content, got, err)
		}
	}
}

func TestLoadTheImagesDefault(t *testing.T) {
	if got, err := Load("../config.toml"); err != nil || got.HTTP.BindHost != "0.0.0.0" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLoadMissing(t *testing.T) {
	if got, err := Load(filepath.Join(t.TempDir(), "config.toml")); err != nil || got != (Config{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLoadErrorsNameThePlace(t *testing.T) {
	for content, want := range map[string]string{
		"[http\n":                               ":1:",
		"\n[http]\nbind-host = 1\n":             ":3:13: ",
		"\n[http]\nbind-host = 'h:80'\n":        `: http.bind-host is "h:80"; write an IP address or a name, without a port`,
		"[http]\nbind_host = 'x'\n[htp]\na=1\n": `:2:1: there is no setting "http.bind_host"`,
		"[http]\na=1\n\nb=2\n":                  `:4:1: there is no setting "http.b"`,
	} {
		path := written(t, content)
		got, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), path+want) {
			t.Errorf("%q: %v; want %s", content, err, want)
		}
		if got != (Config{}) {
			t.Errorf("%q: half of the file was taken: %+v", content, got)
		}
	}
}

func TestLoadDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}
