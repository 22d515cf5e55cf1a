// Package toolchain makes the image in which services are built, without a container
// registry: Go as the Go project publishes it on module proxies, checksum verified, on
// top of a static busybox. It is kept in a cache directory as an OCI image layout.
//
// There is no C compiler in it, so CGO is off and `go test -race` does not work.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/opencontainers/go-digest"

	"slipway/progress"
)

// recipe is part of the cache's key: raise it when an image made by this package changes.
const recipe = "v1"

// Options say which image.
type Options struct {
	Go       string            // as go.mod has it: "1.26.8"; "1.26" means its first release, 1.26.0
	Arch     string            // as Go names it; this machine's where empty
	CacheDir string            // kept between runs, may be shared by concurrent processes
	Report   progress.Reporter // nil: to nobody
}

// Image is an image on disk.
type Image struct {
	Dir    string        // an OCI image layout
	Digest digest.Digest // of the image's manifest, the only one in the layout
	Go     string        // "1.26.8"
	Config []byte        // the image's configuration as JSON: BuildKit takes it with llb.State.WithImageConfig

	rootFS string // made when asked for
	lock   string
}

// Prepare makes the image, or finds it in the cache: then it takes a few milliseconds and starts no
// process. An image that was damaged on disk is made anew. Concurrent callers make it once.
//
// Making one takes a `go` command of any version since 1.21, a Go module proxy
// and, for busybox, Debian's packages.
func Prepare(ctx context.Context, o Options) (*Image, error) {
	version, err := releaseName(o.Go)
	if err != nil {
		return nil, err
	}
	if o.Arch == "" {
		o.Arch = runtime.GOARCH
	}
	if strings.ContainsFunc(o.Arch, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return nil, fmt.Errorf("preparing Go %s: %q is not an architecture; `go tool dist list` shows their names", version, o.Arch)
	}
	if o.Report == nil {
		o.Report = progress.Discard()
	}
	cache, err := filepath.Abs(filepath.Join(o.CacheDir, "toolchain"))
	if err != nil {
		return nil, fmt.Errorf("preparing Go %s: cache directory: %w", version, err)
	}
	dir := filepath.Join(cache, "go"+version+"-linux-"+o.Arch+"-"+recipe)
	if image, err := open(dir, version); err == nil {
		return image, nil
	}

	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("preparing Go %s: making the cache directory: %w; choose another or make it writable", version, err)
	}
	unlock, err := locked(ctx, filepath.Join(cache, ".lock"))
	if err != nil {
		return nil, fmt.Errorf("preparing Go %s: waiting for another command that prepares it: %w", version, err)
	}
	defer unlock()
	if image, err := open(dir, version); err == nil {
		return image, nil
	}
	if err := build(ctx, cache, dir, version, o); err != nil {
		return nil, fmt.Errorf("preparing the image of Go %s: %w", version, err)
	}
	image, err := open(dir, version)
	if err != nil {
		return nil, fmt.Errorf("preparing the image of Go %s: reading back what was written: %w", version, err)
	}
	return image, nil
}

// open returns an image that is complete on disk.
func open(dir, version string) (*Image, error) {
	d, manifest, err := layout{dir}.read()
	if err != nil {
		return nil, err
	}
	config, err := os.ReadFile(layout{dir}.blob(manifest.Config.Digest))
	if err != nil {
		return nil, err
	}
	return &Image{
		Dir: dir, Digest: d, Go: version, Config: config,
		rootFS: dir + "-" + d.Encoded()[:12] + ".rootfs",
		lock:   filepath.Join(filepath.Dir(dir), ".lock"),
	}, nil
}

// locked waits for a lock that is shared by processes, as long as ctx lasts.
func locked(ctx context.Context, file string) (unlock func(), err error) {
	lock := flock.New(file)
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// scratch makes a directory to be filled and then renamed. The lock is held: those that are
// found belong to commands that were killed.
func scratch(cache string) (string, error) {
	dead, _ := filepath.Glob(filepath.Join(cache, ".tmp-*"))
	var errs []error
	for _, dir := range dead {
		errs = append(errs, os.RemoveAll(dir))
	}
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("removing what a killed command left: %w", err)
	}
	tmp, err := os.MkdirTemp(cache, ".tmp-")
	if err != nil {
		return "", fmt.Errorf("making a temporary directory: %w", err)
	}
	return tmp, os.Chmod(tmp, 0o755)
}
