package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

func start(ctx context.Context, o Options) (*Server, error) {
	if os.Geteuid() != 0 {
		if err := rootlessReady(ctx); err != nil {
			return nil, err
		}
	}
	cacheDir, err := filepath.Abs(o.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded engine: %w", err)
	}
	o.CacheDir = cacheDir
	l, err := newLayout(cacheDir)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded engine: %w", err)
	}
	binary, version, err := compile(ctx, l.bin, o.ServerSource, o.Report)
	if err != nil {
		return nil, err
	}
	s := starter{Options: o, layout: l, binary: binary, version: version}
	server, err := s.start(ctx)
	if err != nil {
		return nil, explain(fmt.Errorf("starting the embedded engine: %w", err), l.root)
	}
	return server, nil
}

func stop(ctx context.Context, cacheDir string) error {
	l, err := newLayout(cacheDir)
	if err != nil {
		return fmt.Errorf("stopping the embedded engine: %w", err)
	}
	if _, err := os.Stat(l.root); os.IsNotExist(err) {
		return nil
	}
	lock := flock.New(l.file(startName))
	defer func() { _ = lock.Close() }()
	if _, err := lock.TryLockContext(ctx, poll); err != nil {
		return fmt.Errorf("stopping the embedded engine: waiting for a command that starts it: %w", err)
	}
	h, alive, err := running(l.root)
	if err == nil && alive {
		err = terminate(ctx, l.root, h)
	}
	if err != nil {
		return fmt.Errorf("stopping the embedded engine: %w", err)
	}
	return nil
}

type starter struct {
	Options
	layout          layout
	binary, version string
}

// start finds or makes a server that answers, alone among the commands of its directory.
func (s starter) start(ctx context.Context) (*Server, error) {
	if err := s.layout.make(); err != nil {
		return nil, err
	}
	lock := flock.New(s.layout.file(startName))
	defer func() { _ = lock.Close() }()
	if _, err := lock.TryLockContext(ctx, poll); err != nil {
		return nil, fmt.Errorf("waiting for another command that starts it: %w", err)
	}
	if err := writeMirrors(s.layout.file(mirrorsName), s.Options); err != nil {
		return nil, err
	}
	if err := s.replace(ctx); err != nil {
		return nil, err
	}
	hold, err := s.hold(ctx)
	if err != nil {
		return nil, err
	}
	h, err := s.ensure(ctx)
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	return &Server{Addr: h.Addr, PID: h.PID, hold: hold}, nil
}

// replace stops a running server that is of another version or does not answer, if no
// command uses it.
func (s starter) replace(ctx context.Context) error {
	h, alive, err := running(s.layout.root)
	if err != nil || !alive {
		return err
	}
	version, silent := s.await(ctx, h)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if silent == nil && version == s.version {
		return nil
	}
	clients := flock.New(s.layout.file(clientsName))
	defer func() { _ = clients.Close() }()
	unused, err := clients.TryLock()
	if err != nil {
		return fmt.Errorf("looking for other users of the server: %w", err)
	}
	if h, alive, err = running(s.layout.root); err != nil || !alive {
		return err
	}
	switch {
	case unused:
		return terminate(ctx, s.layout.root, h)
	case silent == nil:
		task := s.Report.Start("using the embedded engine of another version, which other commands use")
		task.Done(nil)
		return nil
	case waitGone(ctx, s.layout.root, readyTime) == nil:
		return nil // it was about to stop
	}
	return fmt.Errorf("the running server (process %d) does not answer and other commands use it; end those, or the process: %w", h.PID, silent)
}

// hold marks this command as a user of the server, which keeps the server from stopping for
// idleness. One that is about to stop has the lock until it is gone.
func (s starter) hold(ctx context.Context) (*flock.Flock, error) {
	const limit = time.Minute // a server that stops ends builds and removes containers first
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the running server did not stop within %s", limit))
	defer cancel()
	clients := flock.New(s.layout.file(clientsName))
	if _, err := clients.TryRLockContext(ctx, poll); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for a server that stops: %w", context.Cause(ctx)), clients.Close())
	}
	return clients, nil
}

// ensure starts a server unless one runs, and waits until it answers.
func (s starter) ensure(ctx context.Context) (holder, error) {
	h, alive, err := running(s.layout.root)
	if err != nil {
		return h, err
	}
	if alive {
		if _, err := s.await(ctx, h); err == nil {
			return h, nil
		}
		if h, alive, err = running(s.layout.root); err != nil || alive {
			return h, errors.Join(fmt.Errorf("the running server (process %d) does not answer", h.PID), err)
		}
	}
	runc, err := findRunc(ctx, s.CacheDir, s.Report)
	if err != nil {
		return h, err
	}
	ch, err := spawn(s.layout, command{binary: s.binary, version: s.version, runc: runc, idle: s.Idle})
	if err != nil {
		return h, err
	}
	addr := "unix://" + filepath.Join(s.layout.run, "buildkitd.sock")
	if _, err := waitReady(ctx, addr, readyTime, ch.gone); err != nil {
		if os.Geteuid() != 0 {
			err = explainRootless(err, "/proc/sys")
		}
		return h, err
	}
	return holder{PID: ch.pid, Addr: addr}, nil
}

// await waits until a running server answers or has ended.
func (s starter) await(ctx context.Context, h holder) (version string, err error) {
	gone := func() error {
		_, alive, err := running(s.layout.root)
		if err == nil && !alive {
			err = errors.New("the server has ended")
		}
		return err
	}
	return waitReady(ctx, h.Addr, answerTime, gone)
}
