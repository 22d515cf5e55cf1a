package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// wrapRunc writes a script that runs runc with a state directory of this server's own, and
// returns its path. BuildKit has no option for it and would share /run/runc with every
// other user of runc, so that a cleanup could not tell whose a container is.
func wrapRunc(root, runc string) (string, error) {
	path, err := exec.LookPath(runc)
	if err != nil {
		return "", fmt.Errorf("finding runc: %w; install it, or name it with -runc PATH", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s --root %s \"$@\"\n", quote(path), quote(filepath.Join(root, "runc")))
	wrapper := filepath.Join(root, "slipway-runc")
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("writing the runc wrapper: %w", err)
	}
	return wrapper, nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// deleteContainers kills and removes every container in the wrapper's state directory.
func deleteContainers(ctx context.Context, root, runc string) error {
	dir := filepath.Join(root, "runc")
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the containers a killed server left: %w", err)
	}
	_, namespaced := holderPID()
	for _, e := range entries {
		// In a namespace they ended with it, and runc's notes of them are process numbers
		// that mean nothing in another.
		if !namespaced {
			if err := deleteContainer(ctx, runc, e.Name()); err != nil {
				return err
			}
		}
		// One that was killed while runc created it has a directory and no state.
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("removing what a killed server left: %w", err)
		}
	}
	return nil
}

func deleteContainer(ctx context.Context, runc, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, runc, "delete", "--force", id)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("removing container %s that a killed server left: %w: %s", id, err, bytes.TrimSpace(out))
	}
	return nil
}
