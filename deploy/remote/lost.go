package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/deploy/ssh"
	"slipway/progress"
)

// Lost tells whether a request to a daemon failed on the way, or since the daemon or its swarm
// does not work for now: another attempt may go well. What the request was to do may have been
// done all the same.
func Lost(err error) bool {
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, ssh.ErrHostKey), errors.Is(err, ssh.ErrDenied):
		return false
	case errors.Is(err, ssh.ErrLost), errors.Is(err, ssh.ErrUnreachable), client.IsErrConnectionFailed(err),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network),
		errdefs.IsUnavailable(err):
		return true
	}
	// The Docker client keeps the text alone of some errors, and swarmkit has no type for a lost
	// quorum or a leader that is being elected.
	for _, part := range []string{"does not have a leader", "context deadline exceeded", "connection reset", "broken pipe", "connection refused", "EOF", "raft: stopped", "error during connect", "transport is closing", "node is shutting down"} {
		if strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}

// Retry calls do until it has been answered, trying again with growing pauses where the
// connection was lost, up to a time. It gives do's last error.
func Retry(ctx context.Context, until time.Time, do func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 3*time.Second) {
		err := do()
		if !Lost(err) || time.Now().Add(pause).After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// RetryTold is Retry, and tells of a connection that is lost for as long as it is away.
func RetryTold(ctx context.Context, until time.Time, report progress.Reporter, do func() error) error {
	var task progress.Task
	err := Retry(ctx, until, func() error {
		err := do()
		if task == nil && Lost(err) && ctx.Err() == nil {
			task = report.Start("connection to the Swarm lost, trying again")
		}
		return err
	})
	if task != nil {
		task.Done(err)
	}
	return err
}
