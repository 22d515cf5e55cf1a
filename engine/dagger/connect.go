package dagger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	sdk "dagger.io/dagger"

	"slipway/progress"
)

// RunnerHost is the variable that tells Dagger's CLI where its engine is.
const RunnerHost = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"

// cliBin is the variable that tells Dagger's SDK where its CLI is.
const cliBin = "_EXPERIMENTAL_DAGGER_CLI_BIN"

// progressVar is the variable that chooses how Dagger's CLI shows progress: logs, plain, dots.
const progressVar = "DAGGER_PROGRESS"

// Patience bounds the wait for an engine that was asked for: its CLI may have to fetch and
// start one first.
const Patience = 5 * time.Minute

// runningAnswers bounds the wait for an engine that RunnerHost says is there.
const runningAnswers = 20 * time.Second

// dockerAnswers bounds the question to Docker whether an engine runs.
const dockerAnswers = 5 * time.Second

// There reports whether Dagger can be used as it is: in a session that is open already
// (`dagger run`, a container of Dagger's), or by its CLI with an engine that runs. The CLI alone
// does not count: it would fetch an engine's image, which nobody has asked for.
func There(ctx context.Context) bool {
	if os.Getenv("DAGGER_SESSION_PORT") != "" {
		return true
	}
	if _, err := exec.LookPath("dagger"); err != nil {
		return false
	}
	if os.Getenv(RunnerHost) != "" {
		return true
	}
	// The CLI keeps its engine in a container of Docker's.
	ctx, cancel := context.WithTimeout(ctx, dockerAnswers)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "ps", "--quiet", "--filter", "name=^dagger-engine-").Output()
	return err == nil && len(bytes.TrimSpace(out)) > 0
}

// Connect opens a session on the engine that Dagger's CLI finds, waiting for it as long as that.
// What the engine says goes to the reporter. The client is closed with the Runner that uses it,
// see Options.OnClose.
func Connect(ctx context.Context, report progress.Reporter, wait time.Duration) (*sdk.Client, error) {
	if os.Getenv("DAGGER_SESSION_PORT") == "" && os.Getenv(cliBin) == "" {
		cli, err := exec.LookPath("dagger")
		if err != nil {
			return nil, errors.New("Dagger's CLI is not on PATH: install dagger v0.21.8, or choose another engine (SLIPWAY_ENGINE=embedded)")
		}
		// The SDK would download a CLI of its own; this is the only way to name the one that is here.
		if err := os.Setenv(cliBin, cli); err != nil {
			return nil, fmt.Errorf("connecting to Dagger: %w", err)
		}
	}
	if os.Getenv(RunnerHost) != "" {
		wait = min(wait, runningAnswers)
	}
	// The session lives as long as this context, so it is not one with a deadline.
	sctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(wait, func() { cancel(fmt.Errorf("it did not answer within %s", wait)) })
	opts := []sdk.ClientOpt{sdk.WithLogOutput(&lineWriter{report: report}), sdk.WithEnvironmentVariable("NO_COLOR", "1")}
	if os.Getenv(progressVar) == "" {
		// What commands print, and not each of the hundreds of calls that a plan is made of.
		opts = append(opts, sdk.WithEnvironmentVariable(progressVar, "logs"))
	}
	client, err := open(sctx, opts)
	late.Stop()
	if err != nil {
		if cause := context.Cause(sctx); cause != nil {
			err = cause
		}
		cancel(nil)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("connecting to Dagger: %w. Check %s, or Docker where it is not set, or choose another engine (SLIPWAY_ENGINE=embedded)", err, RunnerHost)
	}
	return client, nil
}

// open connects, and returns when the context ends: the SDK waits on for its CLI, which tries
// for minutes.
func open(ctx context.Context, opts []sdk.ClientOpt) (*sdk.Client, error) {
	var client *sdk.Client
	done := make(chan error, 1)
	go func() {
		c, err := sdk.Connect(ctx, opts...)
		if err == nil {
			_, err = c.Version(ctx)
			client = c
		}
		done <- err
	}()
	select {
	case err := <-done:
		return client, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// lineWriter shows what is written to it as the log of one task.
type lineWriter struct {
	report progress.Reporter

	mu   sync.Mutex
	task progress.Task
	rest string
}

var _ io.Writer = (*lineWriter)(nil)

func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.task == nil {
		l.task = l.report.Start("Dagger")
	}
	lines := strings.Split(l.rest+string(p), "\n")
	l.rest = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		l.task.Log(line)
	}
	return len(p), nil
}
