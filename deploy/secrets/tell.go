package secrets

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/live"
	"slipway/deploy/stream"
	"slipway/secret"
)

// Running is a task of a service that runs, and its node.
func Running(state *live.State, service string) (*swarm.Task, *swarm.Node, error) {
	s := state.Service(service)
	for _, t := range state.Tasks {
		if s == nil || t.ServiceID != s.ID || t.Status.State != swarm.TaskStateRunning || t.DesiredState != swarm.TaskStateRunning || t.Status.ContainerStatus == nil {
			continue
		}
		for _, n := range state.Nodes {
			if n.ID == t.NodeID {
				return &t, &n, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("no task of %s runs, so that nothing can be run in it: start it first", service)
}

// FailedError is a command that ended badly.
type FailedError struct {
	Exit   int
	Output string
}

func (e *FailedError) Error() string {
	text := fmt.Sprintf("the command ended with exit code %d", e.Exit)
	if e.Output != "" {
		text += ":\n" + e.Output
	}
	return text
}

// outputLimit bounds what is kept of a command's output, in bytes.
const outputLimit = 16 << 10

// Tell runs a command by the shell of a task's container, with a value on its standard input.
// docker is the daemon of the task's node. What the command writes is shown where it failed,
// without the value.
func Tell(ctx context.Context, docker *client.Client, t *swarm.Task, command string, v secret.Value) error {
	made, err := docker.ExecCreate(ctx, t.Status.ContainerStatus.ContainerID, client.ExecCreateOptions{
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: []string{"/bin/sh", "-c", command},
	})
	if err != nil {
		return fmt.Errorf("preparing the command: %w", err)
	}
	attached, err := docker.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return fmt.Errorf("starting the command: %w", err)
	}
	defer attached.Close()
	stop := context.AfterFunc(ctx, attached.Close)
	defer stop()
	go func() { // beside the reading, so that neither side waits for the other
		_, _ = attached.Conn.Write([]byte(v.Reveal())) // a command need not read it
		_ = attached.CloseWrite()
	}()
	output, err := stream.Both(attached.Reader, outputLimit)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("following the command: %w", err)
	}
	exit, err := exitOf(ctx, docker, made.ID)
	if err == nil && exit != 0 {
		err = &FailedError{exit, clean(output, v)}
	}
	return err
}

// exitOf waits for the end: a daemon closes the output a moment before it knows the exit code.
func exitOf(ctx context.Context, docker *client.Client, exec string) (int, error) {
	for end := time.Now().Add(patience); ; {
		got, err := docker.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		switch {
		case err != nil:
			return 0, fmt.Errorf("asking how the command ended: %w", err)
		case !got.Running:
			return got.ExitCode, nil
		case time.Now().After(end):
			return 0, fmt.Errorf("the command has closed its output and goes on: how it ends is not known")
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// clean takes a secret out of a text, each line of it by itself too, and its power over
// terminals away. What was cut off may end in a part of the secret, so that the last line goes
// where that could be.
func clean(text string, v secret.Value) string {
	if len(text) >= outputLimit {
		text = text[:max(0, strings.LastIndexByte(text, '\n'))]
	}
	for _, part := range append([]string{v.Reveal()}, strings.Split(v.Reveal(), "\n")...) {
		if part = strings.TrimSpace(part); part != "" {
			text = strings.ReplaceAll(text, part, "***")
		}
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·")))
}
