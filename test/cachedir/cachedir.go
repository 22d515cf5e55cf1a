// Package cachedir is where the test bed keeps what is dear to make (base images, the
// mirror's blobs) and what must not outlive a test that was killed (daemons' directories).
package cachedir

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Path gives the directory elem... under the user's cache directory, made if missing.
// Without $HOME and $XDG_CACHE_HOME it is an error.
func Path(elem ...string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache directory for the test bed: %w; set HOME or XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(append([]string{base, "slipway-test"}, elem...)...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the test bed's cache directory: %w", err)
	}
	return dir, nil
}

// Lock holds name.lock in the cache directory until unlock is called, so that test
// packages, which run as separate processes, do the slow work once. It waits as long as ctx.
func Lock(ctx context.Context, name string) (unlock func(), err error) {
	dir, err := Path()
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, name+".lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for another test process to release %s: %w", lock.Path(), err)
	}
	return func() { _ = lock.Unlock() }, nil
}
