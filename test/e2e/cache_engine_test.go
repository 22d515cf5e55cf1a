package e2e

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"slipway/engine/embedded"
	"slipway/test/cachedir"
	"slipway/test/gitrepo"
)

// ownCache is a SLIPWAY_CACHE with an engine that no other test uses: for tests that set
// mirrors, which are the engine's, or that kill it. What takes long to make and does not
// change (the server's binary, its runc, the toolchains) is shared. The engine is stopped
// after the test, and must have left nothing mounted.
func ownCache(t testing.TB) string {
	t.Helper()
	return shareDear(t, cachedir.Run(t, "e2e", func(dir string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return embedded.Stop(ctx, dir)
	}))
}

// shareDear links what is dear to make into a cache directory.
func shareDear(t testing.TB, dir string) string {
	t.Helper()
	for _, name := range []string{"bin", "debian", "toolchain"} {
		shared := filepath.Join(cache, name)
		must(t, os.MkdirAll(shared, 0o755))
		must(t, os.Symlink(shared, filepath.Join(dir, name)))
	}
	return dir
}

// packed makes a repository with one service without Go code, "box", of these files below
// its directory; its .dockerignore makes that directory the build context.
func packed(t testing.TB, files map[string]string) *gitrepo.Repo {
	t.Helper()
	r := gitrepo.New(t)
	r.Write(".gitignore", "/build/\n")
	r.Write("services/box/.dockerignore", "secret.txt\n")
	for name, content := range files {
		r.Write("services/box/"+name, content)
	}
	r.Commit("Start", gitrepo.Epoch)
	return r
}

// pipe copies one way until either end closes.
func pipe(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// stopEngine stops the engine of a cache directory.
func stopEngine(t testing.TB, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := embedded.Stop(ctx, dir); err != nil {
		t.Error(err)
	}
}
