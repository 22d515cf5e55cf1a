// Package child starts processes that never outlive the tests they belong to.
package child

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a child that has been started.
type Process struct {
	Cmd  *exec.Cmd
	Done chan struct{} // closed when it has ended, and its output is complete
	Err  error         // of the process; read it after Done
}

// Start starts cmd, which is killed with this process, and leads a process group, so that a
// Ctrl-C is for the tests alone. enter, which may be nil, is called first, on the thread that
// becomes the child's: to go into another network, say. That thread is kept until cmd ends: the
// kernel sends Pdeathsig when the thread is gone, not the process (prctl(2)).
func Start(cmd *exec.Cmd, enter func() error) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig, cmd.SysProcAttr.Setpgid = syscall.SIGKILL, true
	p := &Process{Cmd: cmd, Done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread may be in another network, and ends with the goroutine
		var err error
		if enter != nil {
			err = enter()
		}
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			p.Err = cmd.Wait()
			close(p.Done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("running %s: %w", cmd.Path, err)
	}
	return p, nil
}

// Kill ends it and waits for that. Its own children go on, unless they are in its namespace.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // the error would be that it has ended
	<-p.Done
}

// KillGroup is Kill for its children too, as far as they are still in its group.
func (p *Process) KillGroup() {
	_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL)
	<-p.Done
}
