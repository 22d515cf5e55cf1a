package setup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"slipway/deploy/ssh"
	"slipway/progress"
	"slipway/secret"
)

// guarded changes what lets people in. The login that it works with stays open throughout, so
// that there is a way back from every failure.
func (h *Host) guarded(ctx context.Context, s Step, task progress.Task) error {
	facts, err := h.Facts(ctx)
	if err != nil {
		return err
	}
	if err := h.run(ctx, s.Run, secret.Value{}, task); err != nil {
		return h.back(ctx, s.Guard.Undo, err)
	}
	if err := h.trial(ctx, s.Guard.Trial, facts); err != nil {
		return h.back(ctx, s.Guard.Undo, err)
	}
	if err := h.run(ctx, []string{s.Guard.Commit}, secret.Value{}, task); err != nil {
		return h.back(ctx, s.Guard.Undo+"; "+s.Guard.Commit, err)
	}
	if err := h.again(ctx, h.options, 15*time.Second); err != nil {
		return h.back(ctx, s.Guard.Undo+"; "+s.Guard.Commit, fmt.Errorf("the admin could not log in anew with the new settings: %w", err))
	}
	return nil
}

// back undoes a change, by the login that is still open, and even where the person gives up.
func (h *Host) back(ctx context.Context, undo string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	got, err := h.Root(ctx, undo, nil)
	if err == nil && got.Exit != 0 {
		err = fmt.Errorf("exit code %d: %s", got.Exit, lastLine(got.Stderr))
	}
	if err != nil {
		return fmt.Errorf("%w; and putting back what was there failed (%w): keep your own login to the host open, and run there: %s", cause, err, undo)
	}
	return fmt.Errorf("%w; what was there is back", cause)
}

// trial starts a second sshd with the new settings, which only this host itself can reach, and
// logs in to it through the first.
func (h *Host) trial(ctx context.Context, command string, facts Facts) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	port := 20000 + rand.IntN(10000) //nolint:gosec // any will do
	type ending struct {
		said string
		err  error
	}
	ended := make(chan ending, 1)
	running, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		got, err := h.Root(running, fmt.Sprintf("exec %s%d", command, port), nil)
		ended <- ending{got.Stderr, err}
	}()
	o := h.options
	through := h.options
	o.Host, o.Port, o.Jump, o.Timeout = "127.0.0.1", port, &through, 10*time.Second
	o.KnownHosts = facts.KnownHosts(fmt.Sprintf("[127.0.0.1]:%d", port)) + "\n"
	through.KnownHosts = h.options.KnownHosts
	trying, give := context.WithCancel(ctx)
	defer give()
	go func() { // one connection is all that it serves, and then there is nobody to ask again
		select {
		case e := <-ended:
			ended <- e
			time.AfterFunc(time.Second, give)
		case <-trying.Done():
		}
	}()
	err := h.again(trying, o, 10*time.Second)
	switch {
	case err == nil:
		return nil
	case trying.Err() != nil && ctx.Err() == nil:
		err = errors.New("sshd ended without letting anybody in")
	case forbidden(err):
		return errors.New("the new settings cannot be tried beforehand, since sshd there forwards no connections for the admin: set AllowTcpForwarding local for it, or leave sshd's settings as they are with -noSshd=true")
	}
	reason := ""
	select {
	case e := <-ended:
		reason = why(e.said)
	case <-time.After(2 * time.Second):
	}
	if reason != "" {
		reason = " (sshd says: " + reason + ")"
	}
	return fmt.Errorf("with the settings that sshd would read now, the admin could not log in any more%s: %w. What shuts the admin out is not slipway's own file; look in /etc/ssh/sshd_config and /etc/ssh/sshd_config.d", reason, err)
}

// again logs in on a new connection and becomes root there. While sshd starts it is tried again.
func (h *Host) again(ctx context.Context, o ssh.Options, patience time.Duration) error {
	for until := time.Now().Add(patience); ; {
		client, err := ssh.Dial(ctx, o)
		if err == nil {
			other := &Host{ssh: client, options: o, root: h.root, password: h.password}
			got, fault := other.Root(ctx, "true", nil)
			_ = client.Close()
			if fault == nil && got.Exit != 0 {
				fault = errors.New("the login works, and becoming root does not: " + firstLine(got.Stderr))
			}
			return fault
		}
		if !errors.Is(err, ssh.ErrUnreachable) || forbidden(err) || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// forbidden tells whether the way through the host is closed, and not what it leads to.
func forbidden(err error) bool { return strings.Contains(err.Error(), "forbids forwarding") }

// why finds in sshd's debugging output the reason for a refusal.
func why(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for _, part := range []string{"not allowed because", "Authentication refused", "error: ", "fatal: ", "refused by", "Bind to port"} {
			if strings.Contains(line, part) && !strings.HasPrefix(line, "debug") {
				return line
			}
		}
	}
	return ""
}
