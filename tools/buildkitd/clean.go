package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// clean removes what a server leaves behind when it is killed: running containers, mounts
// under its directories, bundles, temporary files and the socket. The caches stay. The
// caller holds the lock on root, so that nothing of it is in use.
func clean(ctx context.Context, c options, run, runc string) error {
	if err := deleteContainers(ctx, c.root, runc); err != nil {
		return err
	}
	for _, dir := range []string{c.root, run} {
		if err := unmountBelow(dir); err != nil {
			return err
		}
	}
	bundles, err := filepath.Glob(filepath.Join(c.root, "runc-*", "executor", "*", "config.json"))
	if err != nil {
		return err
	}
	remove := []string{filepath.Join(run, "tmp"), filepath.Join(run, "buildkitd.sock")}
	for _, b := range bundles {
		remove = append(remove, filepath.Dir(b))
	}
	namespaces, err := filepath.Glob(filepath.Join(run, "userns-*"))
	if err != nil {
		return err
	}
	holder, _ := holderPID()
	own := usernsDir(c.run, holder)
	remove = append(remove, slices.DeleteFunc(namespaces, func(dir string) bool { return dir == own })...)
	for _, path := range remove {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing what a killed server left: %w", err)
		}
	}
	return nil
}

// unmountBelow unmounts everything mounted below dir, and leaves dir itself alone: that
// may be a mount of the machine's owner, such as a volume for the cache.
func unmountBelow(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return fmt.Errorf("looking for mounts that a killed server left: %w", err)
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- { // the last mounted first
		target := mounts[i].Mountpoint
		if target == dir {
			continue
		}
		if err := unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, fmt.Errorf("unmounting %s that a killed server left: %w", target, err))
		}
	}
	return errors.Join(errs...)
}
