package baseimage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"slipway/test/aptget"
)

// finish leaves out of the image what is this machine's: its mirrors, lists and caches.
const finish = `
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
rm -f /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap
`

// debianTree writes the recipe's root filesystem to the tar file out.
func debianTree(ctx context.Context, r recipe, suite, out string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("making the base image %s needs root, for chroot: run the tests as root", r.Name)
	}
	if _, err := aptget.Ensure(ctx, "mmdebstrap", "mmdebstrap"); err != nil {
		return err
	}
	lines, err := sources(ctx, suite)
	if err != nil {
		return err
	}
	options, err := proxies(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(out), "mmdebstrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	script, err := stage(r, work)
	if err != nil {
		return err
	}
	args := []string{
		"--mode=root", "--variant=essential", "--format=tar",
		"--include=" + strings.Join(r.Packages, ","),
		`--aptopt=APT::Install-Recommends "false"`,
		"--dpkgopt=force-unsafe-io",
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/info/*",
		"--essential-hook=sync-in " + filepath.Join(work, "before") + " /",
		"--customize-hook=sync-in " + filepath.Join(work, "rootfs") + " /",
		"--customize-hook=" + script,
	}
	for _, line := range options {
		args = append(args, "--aptopt="+line)
	}
	args = append(args, suite, out)
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(args, lines...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+work, "LC_ALL=C.UTF-8", "SOURCE_DATE_EPOCH=0")
	// It is told to stop, and not killed, so that it takes its children along.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	runtime.LockOSThread() // the kernel sends Pdeathsig when the thread that started it ends
	defer runtime.UnlockOSThread()
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making the base image %s with mmdebstrap: %w; its output ends with:\n%s", r.Name, err, lastLines(output, 30))
	}
	return nil
}

func lastLines(output []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// stage writes the recipe's files below work and gives the hook that runs its setup.sh in
// the root filesystem. What packages read while they are installed is in "before"; in
// "rootfs" is the rest, since dpkg would ask about configuration that it finds changed.
func stage(r recipe, work string) (script string, err error) {
	for _, part := range []string{"before", "rootfs"} {
		if err := copyFiles(r, part, filepath.Join(work, part)); err != nil {
			return "", err
		}
	}
	setup, err := recipeFiles.ReadFile(path.Join("recipes", r.Name, "setup.sh"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	script = filepath.Join(work, "setup")
	hook := "#!/bin/sh\nset -e\nchroot \"$1\" sh -e <<'END_OF_SETUP'\n" + string(setup) + finish + "END_OF_SETUP\n"
	return script, os.WriteFile(script, []byte(hook), 0o755)
}

// copyFiles writes a part of the recipe below root. Scripts become executable: embedded
// files have no modes.
func copyFiles(r recipe, part, root string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	from, err := fs.Sub(recipeFiles, path.Join("recipes", r.Name, part))
	if err != nil {
		return err
	}
	if _, err := fs.Stat(from, "."); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(root, name)
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		return os.WriteFile(to, data, mode)
	})
}
