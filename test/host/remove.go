package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// cgroup is the name of the groups that hold a host's processes.
func cgroup(dir string) string { return "slipway-test-" + filepath.Base(dir) }

// remove clears what a host in dir leaves outside of it. Its processes are gone, with them its
// mounts and networks; empty control groups stay.
func remove(dir string) error {
	var groups []string
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		tops, err := filepath.Glob(pattern + cgroup(dir))
		if err != nil {
			return err
		}
		for _, top := range tops {
			err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					groups = append(groups, path)
				}
				return err
			})
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	slices.Reverse(groups) // children first
	for _, group := range groups {
		if err := rmdir(group); err != nil {
			return fmt.Errorf("removing the control group %s: %w", group, err)
		}
	}
	return nil
}

// rmdir waits a little for processes that were killed, and have not quite ended.
func rmdir(group string) error {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Rmdir(group)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}
