package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/engine/cabundle"
	"slipway/engine/embedded"
	"slipway/magefiles/launch"
	"slipway/test/cachedir"
	"slipway/test/dockerd"
	"slipway/test/registry"
)

// shop is a monorepo of four services, made of this repository's own, a registry for their
// images, and slipway's binary with the embedded engine.
type shop struct {
	dir, home, binary, cache string
	images                   *registry.Registry
	docker                   *dockerd.Daemon // nil until it is asked for
	commits                  int
}

var shopServices = []string{"backend", "ping", "pong", "peng"}

func newShop(b *testing.B) *shop {
	b.Helper()
	home, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	s := &shop{home: home, dir: filepath.Join(b.TempDir(), "shop"), images: registry.Start(b, registry.Options{})}
	if s.cache, err = cachedir.Path("bench"); err != nil {
		b.Fatal(err)
	}
	if s.binary, err = launch.Binary(home); err != nil {
		b.Fatal(err)
	}
	s.must(b, home, "git", "clone", "--quiet", home, s.dir)
	keep := map[string]bool{"backend": true, "ping": true, "shared": true}
	entries, err := os.ReadDir(s.path("services"))
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !keep[e.Name()] {
			s.must(b, s.dir, "rm", "-r", s.path("services", e.Name()))
		}
	}
	for _, name := range shopServices[2:] {
		s.must(b, s.dir, "cp", "-r", s.path("services/ping"), s.path("services", name))
	}
	s.commit(b)
	ctx := context.WithoutCancel(b.Context())
	b.Cleanup(func() { _ = embedded.Stop(ctx, s.cache) })
	return s
}

func (s *shop) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

func (s *shop) commit(b *testing.B) {
	b.Helper()
	s.commits++
	s.must(b, s.dir, "git", "add", "-A")
	s.must(b, s.dir, "git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "--quiet", "--allow-empty", "-m", fmt.Sprint("Commit ", s.commits))
}

// amend makes another commit of the same tree.
func (s *shop) amend(b *testing.B) {
	b.Helper()
	s.commits++
	s.must(b, s.dir, "git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "--quiet", "--amend", "-m", fmt.Sprint("Amended ", s.commits))
}

// change writes a file of ping's that was not there like that before, and commits it.
func (s *shop) change(b *testing.B) {
	b.Helper()
	text := fmt.Sprintf("package main\n\n// changed is of commit %d, at %d.\nconst changed = %d\n\nvar _ = changed\n", s.commits, time.Now().UnixNano(), s.commits)
	if err := os.WriteFile(s.path("services/ping/changed.go"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	s.commit(b)
}

// slipway runs the compiled binary in the shop and tells how long it took.
func (s *shop) slipway(b *testing.B, args ...string) time.Duration {
	b.Helper()
	return timed(b, s.command(args...))
}

func (s *shop) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "SLIPWAY_ENGINE=embedded", "SLIPWAY_PROGRESS=quiet", "SLIPWAY_CACHE="+s.cache, launch.HomeVar+"="+s.home, "REGISTRY="+s.images.Host)
	return cmd
}

// must runs a command in a directory, with further variables in front.
func (s *shop) must(b *testing.B, dir string, args ...string) time.Duration {
	b.Helper()
	var env []string
	for strings.Contains(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	return timed(b, cmd)
}

func timed(b *testing.B, cmd *exec.Cmd) time.Duration {
	b.Helper()
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return time.Since(began)
}

// daemon is a Docker daemon that reaches the registry, for peers.
func (s *shop) daemon(b *testing.B) *dockerd.Daemon {
	b.Helper()
	if s.docker == nil {
		s.docker = dockerd.Start(b, dockerd.Options{HostNetwork: true})
		// Images of services are made of these two files and a Dockerfile; slipway adds the second.
		if err := os.MkdirAll(s.path("services/build"), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(s.path("services/build/ca-certificates.crt"), cabundle.PEM(), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return s.docker
}
