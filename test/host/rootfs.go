package host

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/test/aptget"
	"slipway/test/baseimage"
	"slipway/test/cachedir"
)

// packages are on a bare host; later are those that apt can install there, with what they need.
var (
	packages = []string{"systemd", "systemd-sysv", "openssh-server", "sudo", "iproute2", "passwd", "procps", "netbase", "dbus"}
	later    = []string{"docker.io", "ca-certificates", "docker-registry", "openssl"}
)

//go:embed recipe.sh
var recipe string

// timeToMake bounds the making of the root filesystem.
const timeToMake = 15 * time.Minute

// rootfs gives the directory of a bare host's root filesystem, made where the cache has none of
// this recipe. It is only ever read: hosts write to layers over it.
func rootfs(t testing.TB) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), timeToMake)
	defer cancel()
	if _, err := aptget.Ensure(ctx, "mmdebstrap", "mmdebstrap"); err != nil {
		return "", err
	}
	release, sources, options, err := baseimage.Apt(ctx)
	if err != nil {
		return "", err
	}
	// The sources' own addresses are this machine's, and make no other filesystem.
	const format = "1" // of the building code; count up when it makes something else of a recipe
	data, err := json.Marshal([]any{format, release, runtime.GOARCH, packages, later, recipe})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	cache, err := cachedir.Path("host")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "bare-"+hex.EncodeToString(sum[:])[:12])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	unlock, err := cachedir.Lock(ctx, "host")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil // another process was first
	}
	began := time.Now()
	making := filepath.Join(cache, "making") // what is there was left by a process that was killed
	if err := os.RemoveAll(making); err != nil {
		return "", err
	}
	if err := debootstrap(ctx, making, release, sources, options); err != nil {
		return "", err
	}
	t.Logf("made the root filesystem of a bare host in %s", time.Since(began).Round(time.Second))
	return dir, os.Rename(making, dir)
}

func debootstrap(ctx context.Context, to, release string, sources, options []string) error {
	work, err := os.MkdirTemp(filepath.Dir(to), "hook-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	script := filepath.Join(work, "setup")
	hook := "#!/bin/sh\nset -e\nAPT_CONFIG=\"$MMDEBSTRAP_APT_CONFIG\" apt-get -qq -y --no-install-recommends --download-only install " + strings.Join(later, " ") +
		"\nchroot \"$1\" sh -e <<'END_OF_SETUP'\n" + recipe + "END_OF_SETUP\n"
	if err := os.WriteFile(script, []byte(hook), 0o755); err != nil {
		return err
	}
	args := []string{
		"--mode=root", "--variant=apt", "--format=directory", "--include=" + strings.Join(packages, ","),
		`--aptopt=APT::Install-Recommends "false"`, "--dpkgopt=force-unsafe-io",
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/info/*",
		"--customize-hook=" + script,
	}
	for _, line := range options {
		args = append(args, "--aptopt="+line)
	}
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(append(args, release, to), sources...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	// It is told to stop, and not killed, so that it takes its children along.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("making a bare host with mmdebstrap: %w; its output ends with:\n%s", err, strings.Join(lines[max(0, len(lines)-30):], "\n"))
	}
	return nil
}
