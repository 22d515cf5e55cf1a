package toolchain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/progress"
)

func TestVersionThatDoesNotExist(t *testing.T) {
	cache := t.TempDir()
	_, err := Prepare(t.Context(), Options{Go: "1.21.99", CacheDir: cache})
	if err == nil || !strings.Contains(err.Error(), "downloading Go 1.21.99 for linux/") ||
		!strings.Contains(err.Error(), "line of go.mod: correct it there") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "toolchain", "go*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// An empty module cache each time: what was downloaded once would be found there.
func TestDownloadsThatFail(t *testing.T) {
	for name, c := range map[string]struct{ proxy, want string }{
		"unreachable": {"http://127.0.0.1:1", "cannot be reached; check the network and GOPROXY"},
		"forbidden":   {"off", "GOPROXY=off forbids it"},
		"empty proxy": {"file://" + t.TempDir(), "no such version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMODCACHE", t.TempDir())
			t.Setenv("GOPROXY", c.proxy)
			_, err := download(t.Context(), "1.26.8", "amd64", progress.Discard())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestExplanations(t *testing.T) {
	for said, want := range map[string]string{
		"verifying module: checksum mismatch\nSECURITY ERROR":        "so it is not used",
		"write /m/x.zip: no space left on device":                    "free some space",
		"reading https://p/x.info: 407 Proxy Authentication":         "asks for credentials",
		"Get \"https://p/x\": dial tcp: lookup p: no such host":      "cannot be reached",
		"reading https://p/x.info: 404 Not Found":                    "no such version",
		"something that nobody foresaw":                              "to see more",
		"tls: failed to verify certificate: x509: unknown authority": "cannot be reached",
	} {
		err := explain("1.26.8", "amd64", said)
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", said, err)
		}
		if last := said[strings.LastIndex(said, "\n")+1:]; !strings.Contains(err.Error(), last) {
			t.Errorf("%q: what the go command said is lost: %v", said, err)
		}
	}
}

func TestSumHasToBeReported(t *testing.T) {
	_, err := result(t.Context(), "1.26.8", "amd64", nil, []byte(`{"Zip":"/m/x.zip"}`), "")
	if err == nil || !strings.Contains(err.Error(), "no zip with a checked sum") {
		t.Errorf("got %v", err)
	}
}

func TestNoGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := goProgram("/nowhere/bin/go"); err == nil || !strings.Contains(err.Error(), "install Go from") {
		t.Errorf("got %v", err)
	}
	installed := filepath.Join(t.TempDir(), "go")
	must(t, os.WriteFile(installed, nil, 0o755))
	if found, err := goProgram("/nowhere/bin/go", installed); err != nil || found != installed {
		t.Errorf("got %s, %v", found, err)
	}
}

func TestCancelledDownload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Prepare(ctx, Options{Go: "1.26.8", CacheDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBadArchitecture(t *testing.T) {
	_, err := Prepare(t.Context(), Options{Go: "1.26.8", Arch: "../up", CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "go tool dist list") {
		t.Errorf("got %v", err)
	}
}
