package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	"golang.org/x/sys/unix"
)

// On a full disk a start or a build fails with a word about it, and nothing hangs.
func TestFullDisk(t *testing.T) {
	for _, size := range []string{"16k", "64k", "400k"} {
		t.Run(size, func(t *testing.T) { fullDisk(t, size) })
	}
}

func fullDisk(t *testing.T, size string) {
	dir, err := os.MkdirTemp("", "slipway-full-")
	must(t, err)
	defer func() { _ = os.Remove(dir) }()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size="+size))
	defer unmount(t, dir)
	o := optionsIn(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer func() {
		if err := Stop(context.Background(), dir); err != nil {
			t.Error(err)
		}
	}()
	s, err := Start(ctx, o)
	if err == nil {
		defer func() { _ = s.Close() }()
		big := llb.Scratch().File(llb.Mkfile("/big", 0o644, []byte(strings.Repeat("x", 1<<20))))
		_, err = solve(ctx, t, connect(t, s), big, nil)
	}
	if ctx.Err() != nil {
		t.Errorf("it hung: %v", err)
	}
	if s == nil {
		wantError(t, err, "The disk is full")
	} else {
		wantError(t, err, "no space left on device")
	}
}

// The disk of the cache directory may be full while Go's own cache has room.
func TestFullDiskWhileCompiling(t *testing.T) {
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size=8m"))
	defer unmount(t, dir)
	_, err := Start(t.Context(), Options{CacheDir: dir, ServerSource: serverSource})
	wantError(t, err, "compiling the embedded engine", "The disk is full", dir)
	left, err := filepath.Glob(filepath.Join(dir, "bin", "buildkitd-*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("half a program was left: %v", left)
	}
}
