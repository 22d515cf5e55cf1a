package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
)

func TestEarlyDeathShowsTheLog(t *testing.T) {
	o := options(t)
	state := filepath.Join(o.CacheDir, "buildkit")
	must(t, os.MkdirAll(state, 0o700))
	must(t, os.WriteFile(filepath.Join(state, "runc-overlayfs"), nil, 0o600)) // a file where its directory goes
	_, err := Start(t.Context(), o)
	wantError(t, err, "starting the embedded engine: it ended at once (exit status 1)", filepath.Join(state, logName), "buildkitd: setting up the worker: mkdir")
}

func TestMissingGoIsSaid(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), Options{CacheDir: dir, ServerSource: serverSource})
	wantError(t, err, "no go command on PATH", "install Go", "SLIPWAY_ENGINE")
}

func TestCompiledServerNeedsNoGo(t *testing.T) {
	o := options(t)
	_, _, err := compile(t.Context(), filepath.Join(o.CacheDir, "bin"), serverSource, o.Report)
	must(t, err)
	t.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // not Go's directory
	t.Setenv("GOROOT", "")
	_ = started(t, o)
}

func TestBrokenSourceShowsTheCompiler(t *testing.T) {
	source := changedSource(t)
	must(t, os.WriteFile(filepath.Join(source, "broken.go"), []byte("package main\n\nvar x int = \"text\"\n"), 0o644))
	_, err := Start(t.Context(), Options{CacheDir: t.TempDir(), ServerSource: source})
	wantError(t, err, "compiling the embedded engine", "broken.go:3")
}

func TestBadMirrorIsRefused(t *testing.T) {
	o := options(t)
	o.Mirrors = []string{"ftp://mirror"}
	_, err := Start(t.Context(), o)
	wantError(t, err, `registry mirror "ftp://mirror"`, "write it as host:port")
}

func TestLongCacheDirectory(t *testing.T) {
	o := options(t)
	dir := filepath.Join(o.CacheDir, strings.Repeat("long", 30))
	must(t, os.MkdirAll(dir, 0o700))
	long := optionsIn(t, dir)
	s := started(t, long)
	t.Cleanup(func() { must(t, Stop(context.Background(), dir)) })
	path := strings.TrimPrefix(s.Addr, "unix://")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(path)) })
	if len(path) > 107 {
		t.Errorf("the socket's path has %d bytes", len(path))
	}
	root, mounts := shell(t)
	_, err := solve(t.Context(), t, connect(t, s), root.Run(llb.Args([]string{"/bin/sh", "-c", "echo >/x"})).Root(), mounts)
	must(t, err)
}

func TestForeignRunDirectoryIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, os.Mkdir(dir, 0o755))
	wantError(t, private(dir), "not this user's alone")
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Chmod(dir, 0o700))
	must(t, private(dir))
	must(t, os.Symlink(dir, link))
	wantError(t, private(link), "not this user's alone")
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
}
