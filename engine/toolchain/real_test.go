//go:build linux

package toolchain

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// The real one: from the Go proxy and Debian's mirrors, once for all concurrent callers.
func TestPrepare(t *testing.T) {
	calls := countGoDownloads(t)
	options := Options{Go: "1.26.8", CacheDir: t.TempDir()}
	images := make([]*Image, 3)
	var all sync.WaitGroup
	for i := range images {
		all.Go(func() {
			image, err := Prepare(t.Context(), options)
			if err != nil {
				t.Error(err)
				return
			}
			images[i] = image
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	if n := calls(); n != 1 {
		t.Errorf("the toolchain was downloaded %d times for %d callers", n, len(images))
	}
	image := images[0]

	t.Run("it builds and runs a program", func(t *testing.T) { buildAndRun(t, image) })

	t.Run("a damaged image is made anew", func(t *testing.T) {
		edit(t, largest(t, image), func(b []byte) []byte { return b[:len(b)/2] })
		again, err := Prepare(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		if again.Digest != image.Digest {
			t.Errorf("digest %s, and %s before", again.Digest, image.Digest)
		}
	})

	t.Run("the next time no process is started", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		before := calls()
		again, err := Prepare(t.Context(), options)
		if err != nil || again.Digest != image.Digest {
			t.Errorf("got %+v, %v", again, err)
		}
		if calls() != before {
			t.Error("the go command ran")
		}
	})
}

const program = `package main

import "fmt"

func main() { fmt.Println(Hello()) }

func Hello() string { return "hello from the image" }
`

const programTest = `package main

import "testing"

func TestHello(t *testing.T) {
	if Hello() != "hello from the image" {
		t.Fatal(Hello())
	}
}
`

// buildAndRun does what a container would: its own mounts, the image as root, nothing of the
// machine's PATH. Everything is written into memory; the shared tree stays as it is.
func buildAndRun(t *testing.T, image *Image) {
	if os.Getuid() != 0 {
		t.Skip("chroot needs root")
	}
	root, err := image.RootFS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commands := `set -e
mount -t proc proc /proc
for dir in dev tmp root src go; do mount -t tmpfs none /$dir; done
mknod -m 666 /dev/null c 1 3
cd /src
cat > go.mod <<'END'
module hello

go 1.26.8
END
cat > main.go <<'END'
` + program + `END
cat > main_test.go <<'END'
` + programTest + `END
mkdir other
echo 'package other; func Other() int { return 1 }' > other/other.go
go version
go vet ./...
go run .
go test -cover ./...
go list std > /tmp/std
go tool dist list | grep linux/amd64
go env GOTOOLCHAIN
`
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", commands)
	cmd.Dir = "/"
	var config v1.Image
	must(t, json.Unmarshal(image.Config, &config))
	cmd.Env = append(config.Config.Env, "GOPROXY=off")
	// Unsharing makes the mounts private: none of them reaches the machine.
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// A package without tests makes -cover compile covdata, which the toolchain has as source only.
	for _, want := range []string{"go version go1.26.8 linux/", "hello from the image", "ok  \thello\t", "hello/other\t\tcoverage: 0.0%", "\nlocal\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

// countGoDownloads counts the runs of `go mod download`.
func countGoDownloads(t *testing.T) func() int {
	t.Helper()
	real, err := exec.LookPath("go")
	must(t, err)
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\nexec %s \"$@\"\n", log, real)
	must(t, os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() int {
		content, _ := os.ReadFile(log)
		return strings.Count(string(content), "mod download")
	}
}
