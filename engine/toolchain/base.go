package toolchain

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"slipway/engine/debian"
	"slipway/progress"
)

// baseEntries is the system below Go: a static busybox with a link for each of its applets
// ("usr/bin/env"), and the few files that programs expect. There are no CA certificates: the
// machine's own are mounted when a step runs.
func baseEntries(busybox entry, applets []string) []entry {
	busybox.path, busybox.mode = "bin/busybox", 0o755
	entries := []entry{
		busybox,
		directory("dev", 0o755),
		directory("etc/ssl/certs", 0o755),
		file("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"),
		file("etc/nsswitch.conf", 0o644, "hosts: files dns\n"),
		file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"),
		directory("go", 0o777),
		directory("proc", 0o755),
		directory("root", 0o700),
		directory("run", 0o755),
		directory("src", 0o755),
		directory("sys", 0o755),
		directory("tmp", 0o1777),
		directory("usr/local/bin", 0o755),
		directory("var/tmp", 0o1777),
	}
	for _, applet := range applets {
		target := "busybox"
		if path.Dir(applet) != "bin" {
			target = strings.Repeat("../", strings.Count(applet, "/")) + "bin/busybox"
		}
		entries = append(entries, symlink(applet, target))
	}
	return entries
}

// findBusybox gives the busybox to put into an image for arch, and its applets' paths.
func findBusybox(ctx context.Context, cacheDir, arch string, report progress.Reporter) (entry, []string, error) {
	own, err := busyboxFile(ctx, cacheDir, runtime.GOARCH, report)
	if err != nil {
		return entry{}, nil, err
	}
	list, err := exec.CommandContext(ctx, own, "--list-full").Output()
	if err != nil {
		return entry{}, nil, fmt.Errorf("listing the applets of %s: %w; a cache directory mounted noexec does not do", own, err)
	}
	applets, err := appletPaths(string(list))
	if err != nil {
		return entry{}, nil, fmt.Errorf("listing the applets of %s: %w", own, err)
	}
	program := own
	if arch != runtime.GOARCH {
		// Another architecture's does not run here; the same package has the same applets.
		if program, err = busyboxFile(ctx, cacheDir, arch, report); err != nil {
			return entry{}, nil, err
		}
	}
	info, err := os.Stat(program)
	if err != nil {
		return entry{}, nil, fmt.Errorf("reading busybox: %w", err)
	}
	return entry{size: info.Size(), open: func() (io.ReadCloser, error) { return os.Open(program) }}, applets, nil
}

// busyboxFile is Debian's static busybox, or, where there is no Debian, a static one on PATH.
func busyboxFile(ctx context.Context, cacheDir, arch string, report progress.Reporter) (string, error) {
	root, err := debian.UnpackFor(ctx, cacheDir, arch, report, "busybox-static")
	if err == nil {
		return filepath.Join(root, "bin", "busybox"), nil
	}
	if !errors.Is(err, debian.ErrNoApt) || arch != runtime.GOARCH {
		return "", err
	}
	if found, lookErr := exec.LookPath("busybox"); lookErr == nil && isStatic(found) {
		return found, nil
	}
	return "", fmt.Errorf("%w; the toolchain image takes a statically linked busybox from PATH, and there is none", err)
}

func isStatic(program string) bool {
	f, err := elf.Open(program)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

// appletPaths reads `busybox --list-full`: "bin/sh", "usr/bin/env", one a line.
func appletPaths(list string) ([]string, error) {
	var applets []string
	for line := range strings.Lines(list) {
		applet := strings.TrimSpace(line)
		switch path.Dir(applet) {
		case "bin", "sbin", "usr/bin", "usr/sbin": // not "linuxrc", of an initramfs
			if path.Base(applet) != "busybox" {
				applets = append(applets, applet)
			}
		}
	}
	for _, must := range []string{"bin/sh", "bin/cp", "usr/bin/env"} {
		if !slices.Contains(applets, must) {
			return nil, fmt.Errorf("this busybox has no %s", must)
		}
	}
	return applets, nil
}
