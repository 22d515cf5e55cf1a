package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// The locks in the state directory. Each ends with the process that holds it, however that
// ends, so nothing has to be cleaned up after a kill.
const (
	startName   = "start.lock"   // one command starts or replaces the server at a time
	serverName  = "server.lock"  // held by the server; its text is a holder
	clientsName = "clients.lock" // shared by the commands that use the server; a server that stops for idleness takes it alone
)

// holder is what the server writes into its lock.
type holder struct {
	PID  int    `json:"pid"`
	Addr string `json:"addr"`
}

// running says whether a server holds the lock on root, and which. The caller holds
// start.lock.
func running(root string) (h holder, alive bool, err error) {
	path := filepath.Join(root, serverName)
	lock := flock.New(path)
	defer func() { _ = lock.Close() }()
	// A server that has just begun has not written yet who it is.
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(poll) {
		free, err := lock.TryLock()
		if err != nil {
			return h, false, fmt.Errorf("looking for a running server: %w", err)
		}
		if free {
			return h, false, nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return h, true, fmt.Errorf("looking for a running server: %w", err)
		}
		if json.Unmarshal(data, &h) == nil && h.PID != 0 && h.Addr != "" {
			return h, true, nil
		}
	}
	return holder{}, true, fmt.Errorf("looking for a running server: %s is locked and does not say by whom; end the process that holds it (fuser %s)", path, path)
}

// waitGone waits until no server holds the lock on root, however it ends.
func waitGone(ctx context.Context, root string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	lock := flock.New(filepath.Join(root, serverName))
	_, err := lock.TryLockContext(ctx, poll)
	return errors.Join(err, lock.Close())
}

// terminate ends a server: politely, then by force.
func terminate(ctx context.Context, root string, h holder) error {
	// A number alone could be another process: a shared directory may hold the lock of a
	// server in another container.
	if !serves(h.PID, root) {
		if waitGone(ctx, root, answerTime) == nil {
			return nil // it ended meanwhile
		}
		return fmt.Errorf("the server that holds %s is no process of this machine or container; stop it there, or use another cache directory", root)
	}
	// The server cancels builds after five seconds and then removes their containers.
	const polite, forced = 30 * time.Second, 10 * time.Second
	_ = syscall.Kill(h.PID, syscall.SIGTERM)
	if waitGone(ctx, root, polite) == nil {
		return waitEnded(ctx, root, h)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("waiting for the server (process %d) to stop: %w", h.PID, context.Cause(ctx))
	}
	_ = syscall.Kill(h.PID, syscall.SIGKILL)
	if err := waitGone(ctx, root, forced); err != nil {
		return fmt.Errorf("the server (process %d) does not stop, not even by kill -9: %w", h.PID, err)
	}
	return waitEnded(ctx, root, h)
}

// serves says whether a process is the server on root, or the holder of its namespaces.
func serves(pid int, root string) bool {
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return pid != 0 && err == nil && bytes.Contains(cmdline, []byte("\x00"+root+"\x00"))
}

// waitEnded waits for the process that held the namespaces of a server without root, which
// ends just after the server and its lock.
func waitEnded(ctx context.Context, root string, h holder) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	tick := time.NewTicker(poll / 4)
	defer tick.Stop()
	for serves(h.PID, root) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server has ended and its process %d has not; end it (kill -9 %d)", h.PID, h.PID)
		case <-tick.C:
		}
	}
	return nil
}

// listening says whether somebody accepts connections at a unix:// address.
func listening(addr string) bool {
	c, err := net.Dial("unix", strings.TrimPrefix(addr, "unix://"))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
