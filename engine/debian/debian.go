// Package debian takes single programs out of Debian packages, for machines where they
// are not installed: a static busybox, runc. Nothing is installed and no root is needed;
// the packages land unpacked in a cache directory. Mirrors, proxies and keys are those
// that the machine's own apt is set up with, and apt checks the signatures.
package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"slipway/progress"
)

// packageName is Debian Policy 5.6.1; it also keeps options ("-y"), versions ("a=1") and
// paths out of apt's command line.
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)

// Unpack fetches the named packages, and only those (no dependencies), for this machine's
// architecture, and returns the directory in which they are unpacked together: the file
// /usr/sbin/runc of a package is at root+"/usr/sbin/runc".
//
// The directory is below cacheDir and is shared: do not write to it. Where it is there
// already no process is started. Concurrent callers, in this process or others, fetch once.
func Unpack(ctx context.Context, cacheDir string, report progress.Reporter, packages ...string) (root string, err error) {
	return UnpackFor(ctx, cacheDir, runtime.GOARCH, report, packages...)
}

// UnpackFor is Unpack for an architecture named as Go names it ("arm64").
func UnpackFor(ctx context.Context, cacheDir, goarch string, report progress.Reporter, packages ...string) (root string, err error) {
	arch, ok := debianArch[goarch]
	if !ok {
		return "", fmt.Errorf("fetching Debian packages: Debian has no name for the architecture %q; use one of %s", goarch, knownArches())
	}
	packages, err = checked(packages)
	if err != nil {
		return "", err
	}
	cacheDir, err = filepath.Abs(cacheDir)
	if err != nil {
		return "", fmt.Errorf("fetching Debian packages: cache directory: %w", err)
	}
	base := filepath.Join(cacheDir, "debian", release(osRelease)+"-"+arch)
	root = filepath.Join(base, strings.Join(packages, "_"))
	if there(root) {
		return root, nil
	}

	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("fetching Debian packages: making the cache directory: %w; choose another cache directory or make it writable", err)
	}
	lock := flock.New(filepath.Join(base, ".lock"))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return "", fmt.Errorf("fetching Debian packages: waiting for another command that fetches into %s: %w", base, err)
	}
	defer func() { _ = lock.Close() }()
	if there(root) {
		return root, nil
	}

	if report == nil {
		report = progress.Discard()
	}
	task := report.Start("fetching " + strings.Join(packages, ", ") + " from Debian (once)")
	err = fetch(ctx, base, root, arch, task, packages)
	task.Done(err)
	if err != nil {
		return "", fmt.Errorf("fetching the Debian packages %s: %w", strings.Join(packages, ", "), err)
	}
	return root, nil
}

// fetch runs with the lock held, so every temporary directory it finds is a dead one.
func fetch(ctx context.Context, base, root, arch string, task progress.Task, packages []string) error {
	dead, _ := filepath.Glob(filepath.Join(base, ".tmp-*"))
	for _, dir := range dead {
		_ = os.RemoveAll(dir)
	}
	tmp, err := os.MkdirTemp(base, ".tmp-")
	if err != nil {
		return fmt.Errorf("making a temporary directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	a := apt{arch: arch, work: tmp, state: filepath.Join(base, ".apt")}
	debs, err := a.download(ctx, task, packages)
	if err != nil {
		return err
	}
	tree := filepath.Join(tmp, "root")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	for _, deb := range debs {
		if out, err := run(ctx, tmp, "dpkg-deb", "-x", deb, tree); err != nil {
			return fmt.Errorf("unpacking %s: %w\n%s", filepath.Base(deb), err, tail(out))
		}
	}
	if err := os.Rename(tree, root); err != nil {
		return fmt.Errorf("putting the unpacked files in place: %w", err)
	}
	return nil
}

func there(root string) bool {
	info, err := os.Stat(root)
	return err == nil && info.IsDir()
}

// checked returns the names sorted and without repeats, so that one set has one directory.
func checked(packages []string) ([]string, error) {
	if len(packages) == 0 {
		return nil, fmt.Errorf("fetching Debian packages: no package is named")
	}
	for _, name := range packages {
		if !packageName.MatchString(name) {
			return nil, fmt.Errorf("fetching Debian packages: %q is not a package name: lower case letters, digits, plus, minus and dots", name)
		}
	}
	packages = slices.Clone(packages)
	slices.Sort(packages)
	return slices.Compact(packages), nil
}
