package baseimage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/engine/debian"
	"slipway/progress"
)

// busyboxTree writes a root filesystem with busybox and the recipe's files to the tar
// file out.
func busyboxTree(ctx context.Context, r recipe, cacheDir, out string, report progress.Reporter) error {
	unpacked, err := debian.Unpack(ctx, cacheDir, report, "busybox-static")
	if err != nil {
		return err
	}
	root, err := os.MkdirTemp(filepath.Dir(out), "busybox-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := copyFiles(r, "rootfs", root); err != nil {
		return err
	}
	for _, dir := range []string{"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "root", "proc", "sys", "dev", "run", "var", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), os.ModeSticky|0o777); err != nil {
		return err
	}
	binary, err := os.ReadFile(filepath.Join(unpacked, "bin", "busybox"))
	if err != nil {
		return fmt.Errorf("taking busybox from Debian's package: %w", err)
	}
	busybox := filepath.Join(root, "bin", "busybox")
	if err := os.WriteFile(busybox, binary, 0o755); err != nil {
		return err
	}
	if err := link(ctx, root, busybox); err != nil {
		return err
	}
	return pack(ctx, root, out)
}

// link gives every applet its usual name.
func link(ctx context.Context, root, busybox string) error {
	list, err := exec.CommandContext(ctx, busybox, "--list-full").Output()
	if err != nil {
		return fmt.Errorf("asking busybox for its commands: %w", err)
	}
	for line := range strings.Lines(string(list)) {
		name := filepath.Join(root, strings.TrimSpace(line))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("/bin/busybox", name); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
