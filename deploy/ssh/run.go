package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
)

// Result is what a command left. Exit is its code, or 128 and the signal's number.
type Result struct {
	Stdout, Stderr string
	Exit           int
}

// Run runs a command line in the user's shell to its end. Other users of the server can see
// it: secrets go through stdin, which may be nil. An exit code other than 0 is not an error.
// When ctx ends, the command is told to terminate and not waited for.
func (c *Client) Run(ctx context.Context, command string, stdin io.Reader) (Result, error) {
	session, release, err := c.session(ctx)
	if err != nil {
		return Result{}, err
	}
	defer release()
	defer session.Close() //nolint:errcheck // it has ended, or is given up
	var stdout, stderr bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = stdin, &stdout, &stderr
	if err := session.Start(command); err != nil {
		return Result{}, fmt.Errorf("running a command on %s: %w", c, c.gone(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = session.Signal(ssh.SIGTERM)
		_ = session.Close()
		return Result{}, fmt.Errorf("running a command on %s: %w", c, ctx.Err())
	}
	result := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		result.Exit = exit.ExitStatus()
		return result, nil
	}
	if err != nil {
		return result, fmt.Errorf("running a command on %s: %w", c, c.gone(err))
	}
	return result, nil
}
