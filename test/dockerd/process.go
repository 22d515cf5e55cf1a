package dockerd

import (
	"path/filepath"
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
func remove(dir string) error { return child.RemoveGroups(cgroup(dir), syscall.Rmdir) }
