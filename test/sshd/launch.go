package sshd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"slipway/test/child"
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
	}
	var enter func() error
	if s.options.Machine != nil {
		enter = s.options.Machine.Enter
	}
	p, err := child.Start(cmd, enter)
	if err != nil {
		return err
	}
	if err := s.await(p, before); err != nil {
		p.Kill()
		return err
	}
	s.process = p
	return nil
}

// await reads the log from offset until the server listens, ends, or 20 seconds have passed.
func (s *Server) await(p *child.Process, offset int) error {
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		said := s.Log()[offset:]
		if strings.Contains(said, "Server listening on "+strings.Replace(s.listens(), ":", " port ", 1)+".") {
			return nil
		}
		select {
		case <-p.Done:
			if strings.Contains(s.Log()[offset:], "Address already in use") {
				return fmt.Errorf("port %d: %w", s.Port, syscall.EADDRINUSE)
			}
			return fmt.Errorf("it ended: %w", p.Err)
		case <-deadline:
			return errors.New("it did not listen within 20 seconds")
		case <-again.C:
		}
	}
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
