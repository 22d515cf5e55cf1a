package dockerd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is the first process of a daemon's namespaces.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when all processes of the namespace are gone
	err  error         // of the process; read it after done
}

// start runs cmd in the network. It keeps the thread that started it until cmd ends: the
// kernel sends Pdeathsig when the thread is gone, not the process (prctl(2)).
func start(cmd *exec.Cmd, n *network) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, in another network, ends with the goroutine
		err := n.enter()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("running %s: %w", cmd.Path, err)
	}
	return p, nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // the error would be that it has ended
	<-p.done
}

func (p *process) shutDown() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // tini hands it to dockerd
	select {
	case <-p.done:
	case <-time.After(30 * time.Second): // dockerd gives containers 10 seconds
		p.kill()
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
