package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/engine/debian"
	"slipway/progress"
)

// findRunc returns a runc that runs and knows seccomp: the one on PATH, else Debian's,
// unpacked below cacheDir.
func findRunc(ctx context.Context, cacheDir string, report progress.Reporter) (string, error) {
	var onPath error
	if path, err := exec.LookPath("runc"); err != nil {
		onPath = errors.New("there is none on PATH")
	} else if onPath = checkRunc(ctx, path); onPath == nil {
		return path, nil
	}
	path, err := debianRunc(ctx, cacheDir, report)
	if err != nil {
		return "", fmt.Errorf("the embedded engine needs runc with seccomp: %w, and Debian's could not be had (%w); install runc, or set SLIPWAY_ENGINE to docker, dagger or the address of a BuildKit", onPath, err)
	}
	return path, nil
}

// checkRunc runs runc --version, which also loads its libraries.
func checkRunc(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s does not run (%w: %s)", path, err, bytes.TrimSpace(out))
	}
	if !bytes.Contains(out, []byte("libseccomp")) {
		return fmt.Errorf("%s was built without seccomp", path)
	}
	return nil
}

func debianRunc(ctx context.Context, cacheDir string, report progress.Reporter) (string, error) {
	root, err := debian.Unpack(ctx, cacheDir, report, "runc")
	if err != nil {
		return "", err
	}
	runc := filepath.Join(root, "usr", "sbin", "runc")
	err = checkRunc(ctx, runc)
	if err == nil || ctx.Err() != nil {
		return runc, err
	}
	// Every Debian has libseccomp, which apt needs; another system may not.
	libraries, unpackErr := debian.Unpack(ctx, cacheDir, report, "libseccomp2")
	if unpackErr != nil {
		return "", errors.Join(err, unpackErr)
	}
	found, _ := filepath.Glob(filepath.Join(libraries, "usr", "lib", "*", "libseccomp.so.2"))
	if len(found) == 0 {
		return "", err
	}
	wrapper := filepath.Join(cacheDir, "bin", "runc-with-libseccomp")
	script := fmt.Sprintf("#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s \"$@\"\n", quote(filepath.Dir(found[0])), quote(runc))
	if err := writeFile(wrapper, []byte(script), 0o755); err != nil {
		return "", err
	}
	return wrapper, checkRunc(ctx, wrapper)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// writeFile replaces a file at once, so that nobody reads half of it.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
