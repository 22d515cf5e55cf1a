package sshd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// boot runs as process 1 of the server's namespaces, under tini. $1 is the server's
// directory, $2 a Docker socket or "". The socket is a symbolic link, so that it is found
// again when its daemon restarts.
const boot = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/sshd
for file in passwd shadow group; do mount --bind "$1/$file" "/etc/$file"; done
if [ -n "$2" ]; then ln -s "$2" /run/docker.sock; fi
exec "$(command -v sshd)" -D -e -f "$1/sshd_config"`

// launch starts the server and returns when it listens.
func (s *Server) launch() error {
	fixed := s.Port != 0
	for {
		if !fixed {
			port, err := freePort()
			if err != nil {
				return err
			}
			s.Port = port
		}
		err := s.tryLaunch()
		// Another process may take the port between our look and sshd's.
		if !fixed && errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return err
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) tryLaunch() error {
	if err := s.configure(); err != nil {
		return err
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	before := len(s.Log())
	cmd := exec.Command("tini", "-s", "--", "sh", "-c", boot, "sh", s.dir, s.options.DockerSocket)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL, // the kernel then ends all in the process namespace
		Setpgid:    true,
	}
	p, err := start(cmd, s.options.Machine)
	if err != nil {
		return err
	}
	if err := s.await(p, before); err != nil {
		p.kill()
		return err
	}
	s.process = p
	return nil
}

// await reads the log from offset until the server listens, ends, or 20 seconds have passed.
func (s *Server) await(p *process, offset int) error {
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		said := s.Log()[offset:]
		if strings.Contains(said, "Server listening on "+strings.Replace(s.listens(), ":", " port ", 1)+".") {
			return nil
		}
		select {
		case <-p.done:
			if strings.Contains(s.Log()[offset:], "Address already in use") {
				return fmt.Errorf("port %d: %w", s.Port, syscall.EADDRINUSE)
			}
			return fmt.Errorf("it ended: %w", p.err)
		case <-deadline:
			return errors.New("it did not listen within 20 seconds")
		case <-again.C:
		}
	}
}

// process is the first process of a server's namespaces.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when all processes of the namespace are gone
	err  error         // of the process; read it after done
}

// start runs cmd on a machine, nil for this one. It keeps the thread that started cmd until cmd ends: the kernel sends Pdeathsig when
// the thread is gone, not the process (prctl(2)).
func start(cmd *exec.Cmd, machine Machine) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread may be in another network, and ends with the goroutine
		var err error
		if machine != nil {
			err = machine.Enter()
		}
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

func (s *Server) logFile() string { return filepath.Join(s.dir, "sshd.log") }

// Log is all that the server has written to its log so far: who connected, with which key,
// what was refused.
func (s *Server) Log() string {
	data, err := os.ReadFile(s.logFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Errorf("reading the SSH server's log: %v", err)
	}
	return string(data)
}

func (s *Server) logTail(n int) string {
	lines := strings.Split(strings.TrimRight(s.Log(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
