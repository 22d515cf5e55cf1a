package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMirrorsComeBeforeDockerHub(t *testing.T) {
	m := read(t, `{"mirrors":["localhost:5000","http://plain:5000","https://tls/hub","lax:5000"],"insecure":["lax:5000","own:443"]}`)
	for host, want := range map[string][]string{
		"docker.io":      {"http://localhost:5000/v2", "http://plain:5000/v2", "https://tls/v2/hub", "https://lax:5000/v2", "https://registry-1.docker.io/v2"},
		"ghcr.io":        {"https://ghcr.io/v2"},
		"plain:5000":     {"http://plain:5000/v2"},
		"127.0.0.1:5000": {"http://127.0.0.1:5000/v2"},
		"own:443":        {"https://own:443/v2"}, // with a fallback to plain HTTP in its client
	} {
		hosts, err := m.lookup(host)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range hosts {
			got = append(got, h.Scheme+"://"+h.Host+h.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is asked at %v, want %v", host, got, want)
		}
	}
}

// A setting that cannot be read does not take away the one that works.
func TestBrokenMirrorsKeepTheOld(t *testing.T) {
	m := read(t, `{"mirrors":["localhost:5000"]}`)
	if err := os.WriteFile(m.path, []byte(`{"mirrors":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.refresh(); err == nil {
		t.Error("half a file was taken")
	}
	if hosts, err := m.lookup("docker.io"); err != nil || len(hosts) != 2 {
		t.Errorf("got %v, %v; want the mirror and Docker Hub", hosts, err)
	}
	if err := os.Remove(m.path); err != nil {
		t.Fatal(err)
	}
	if err := m.refresh(); err != nil {
		t.Fatal(err)
	}
	if hosts, _ := m.lookup("docker.io"); len(hosts) != 1 {
		t.Errorf("without the file docker.io is asked at %v", hosts)
	}
}

func read(t *testing.T, text string) *mirrors {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mirrors.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := newMirrors(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
