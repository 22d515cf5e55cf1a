package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/progress"
)

// moduleVersion is how the Go project publishes toolchains: https://go.dev/doc/toolchain, "Toolchain downloads".
func moduleVersion(version, arch string) string {
	return "v0.0.1-go" + version + ".linux-" + arch
}

// downloaded is the part of `go mod download -json` that is used here.
type downloaded struct {
	Zip   string // path in the module cache
	Sum   string // "h1:…", checked against the checksum database
	Error string
}

// download has the go command fetch the toolchain's module: it knows GOPROXY, GOSUMDB, .netrc and
// the rest of a person's settings, checks the sum, and keeps the zip in the module cache.
func download(ctx context.Context, version, arch string, report progress.Reporter) (downloaded, error) {
	program, err := goProgram(filepath.Join(os.Getenv("GOROOT"), "bin", "go"), "/usr/local/go/bin/go")
	if err != nil {
		return downloaded{}, err
	}
	empty, err := os.MkdirTemp("", "slipway-toolchain-")
	if err != nil {
		return downloaded{}, fmt.Errorf("downloading Go %s: making a temporary directory: %w", version, err)
	}
	defer func() { _ = os.RemoveAll(empty) }()
	goCommand := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = empty // outside of any module
		// GOFLAGS such as -mod=vendor belong to the module that is built, not to this.
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off", "GO111MODULE=on")
		cmd.WaitDelay = 5 * time.Second
		return cmd
	}

	task := report.Start("downloading Go " + version + " for linux/" + arch + " (once)")
	stop := func() {}
	if cache, err := goCommand("env", "GOMODCACHE").Output(); err == nil {
		stop = watch(task, filepath.Join(strings.TrimSpace(string(cache)),
			"cache", "download", "golang.org", "toolchain", "@v", moduleVersion(version, arch)+".zip*"))
	}
	var stdout, stderr bytes.Buffer
	cmd := goCommand("mod", "download", "-json", "golang.org/toolchain@"+moduleVersion(version, arch))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	stop()
	got, err := result(ctx, version, arch, runErr, stdout.Bytes(), stderr.String())
	task.Done(err)
	return got, err
}

// result reads what go mod download said; a failure is in its JSON, or on stderr.
func result(ctx context.Context, version, arch string, runErr error, stdout []byte, stderr string) (downloaded, error) {
	var got downloaded
	jsonErr := json.Unmarshal(stdout, &got)
	said := strings.TrimSpace(got.Error + "\n" + stderr)
	switch {
	case ctx.Err() != nil:
		return got, fmt.Errorf("downloading Go %s: %w", version, ctx.Err())
	case got.Error != "" || runErr != nil:
		if said == "" {
			said = runErr.Error()
		}
		return got, explain(version, arch, said)
	case jsonErr != nil:
		return got, fmt.Errorf("downloading Go %s: reading what `go mod download -json` printed: %w", version, jsonErr)
	case got.Zip == "" || got.Sum == "":
		return got, fmt.Errorf("downloading Go %s: `go mod download` gave no zip with a checked sum; check GOSUMDB and GOFLAGS in `go env`", version)
	}
	return got, nil
}

// explain puts what to do before what the go command said.
func explain(version, arch, said string) error {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(said, part) {
				return true
			}
		}
		return false
	}
	advice := "run `go mod download golang.org/toolchain@" + moduleVersion(version, arch) + "` to see more"
	switch {
	case has("no space left on device"):
		advice = "the disk of the module cache is full; free some space (`go env GOMODCACHE` says where it is) and run again"
	case has("SECURITY ERROR", "checksum mismatch", "verifying"):
		advice = "its checksum could not be confirmed, so it is not used; check GOPROXY and GOSUMDB in `go env`"
	case has("GOPROXY=off"):
		advice = "GOPROXY=off forbids it; set GOPROXY to a proxy that has the Go toolchains"
	case has("401 ", "407 "):
		advice = "the Go module proxy asks for credentials; put them into .netrc, or correct GOPROXY in `go env`"
	case has("dial tcp", "no such host", "connection refused", "i/o timeout", "TLS handshake", "proxyconnect", "connection reset", "certificate"):
		advice = "the Go module proxy cannot be reached; check the network and GOPROXY in `go env`"
	case has("403 ", "404 ", "410 ", "not found", "unknown revision", "invalid version", "no such file or directory"):
		advice = "the Go module proxy has no such version; the version comes from the `go` or `toolchain` line of go.mod: correct it there (https://go.dev/dl/ lists what exists)"
	}
	return fmt.Errorf("downloading Go %s for linux/%s: %s\n  %s", version, arch, advice, strings.ReplaceAll(said, "\n", "\n  "))
}

// goProgram finds the go command: on PATH, else where its installers leave it.
func goProgram(places ...string) (string, error) {
	if program, err := exec.LookPath("go"); err == nil {
		return program, nil
	}
	for _, program := range places {
		if _, err := exec.LookPath(program); err == nil {
			return program, nil
		}
	}
	return "", errors.New("downloading Go: there is no `go` command on PATH; install Go from https://go.dev/dl/ " +
		"(any version since 1.21 does: it fetches the one that go.mod names), or put it on PATH")
}

// watch reports the bytes of the newest file of a pattern until it is stopped: the go command
// says nothing while it downloads.
func watch(task progress.Task, pattern string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			var size int64
			files, _ := filepath.Glob(pattern)
			for _, file := range files {
				if info, err := os.Stat(file); err == nil {
					size = max(size, info.Size())
				}
			}
			if size > 0 {
				task.Amount("bytes", size, 0)
			}
		}
	}()
	return func() { close(done); <-ended }
}
