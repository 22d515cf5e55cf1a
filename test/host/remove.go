package host

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"slipway/test/child"
)

// cgroup is the name of the groups that hold a host's processes.
func cgroup(dir string) string { return "slipway-test-" + filepath.Base(dir) }

// remove clears what a host in dir leaves outside of it. Its processes are gone, with them its
// mounts and networks; empty control groups stay.
func remove(dir string) error { return child.RemoveGroups(cgroup(dir), rmdir) }

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
