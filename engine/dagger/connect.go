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

// connectTimeout bounds the wait for an engine that was asked for: its CLI may have to fetch
// and start one first.
const connectTimeout = 5 * time.Minute

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
	out, err := exec.CommandContext(ctx, "docker", "ps", "--quiet", "--filter", "name=^dagger-engine-").Output()
	return err == nil && len(bytes.TrimSpace(out)) > 0
}

// Connect opens a session on the engine that Dagger's CLI finds. What the engine says goes to
// the reporter. The client is closed with the Runner that uses it, see Options.OnClose.
func Connect(ctx context.Context, report progress.Reporter) (*sdk.Client, error) {
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
	// The session lives as long as this context, so it is not one with a deadline.
	sctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(connectTimeout, cancel)
	client, err := sdk.Connect(sctx, sdk.WithLogOutput(&lineWriter{report: report}), sdk.WithEnvironmentVariable("NO_COLOR", "1"))
	if err == nil {
		_, err = client.Version(sctx)
	}
	late.Stop()
	if err != nil {
		cancel()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("connecting to Dagger: %w. Check %s, or Docker where it is not set, or choose another engine (SLIPWAY_ENGINE=embedded)", err, RunnerHost)
	}
	return client, nil
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
