package dockerd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"slipway/test/child"
)

// shutDown ends the first process of a daemon's namespaces, and with it all others there.
func shutDown(p *child.Process) {
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // tini hands it to dockerd
	select {
	case <-p.Done:
	case <-time.After(30 * time.Second): // dockerd gives containers 10 seconds
		p.Kill()
	}
}

// cgroup is the name of the group that holds a daemon's containers.
func cgroup(dir string) string { return "slipway-test-" + filepath.Base(dir) }

// remove clears what a daemon in dir leaves outside of it. Its processes are gone, with
// them its mounts and networks; empty cgroups stay.
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
		if err := syscall.Rmdir(group); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the control group %s: %w", group, err)
		}
	}
	return nil
}
