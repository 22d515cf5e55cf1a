package buildkit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"slipway/engine"
	"slipway/pipeline"
)

// readChunk is below gRPC's and BuildKit's limit for one message, 16 MB.
const readChunk = 8 << 20

func (b *build) ref(step string) (gateway.Reference, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ref := b.refs[step]; ref != nil {
		return ref, nil
	}
	return nil, fmt.Errorf("step %s has no output", step)
}

// mode returns the permissions of a file in a step's output.
func (b *build) mode(ctx context.Context, step, file string) (os.FileMode, error) {
	ref, err := b.ref(step)
	if err != nil {
		return 0, err
	}
	st, err := ref.StatFile(ctx, gateway.StatRequest{Path: file})
	if err != nil {
		return 0, err
	}
	return fs.FileMode(st.Mode).Perm(), nil
}

// read returns a file of a step's output.
func (b *build) read(ctx context.Context, step, file string) ([]byte, error) {
	ref, err := b.ref(step)
	if err != nil {
		return nil, err
	}
	var out []byte
	for {
		part, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: file, Range: &gateway.FileRange{Offset: len(out), Length: readChunk}})
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
		if len(part) < readChunk {
			return out, nil
		}
	}
}

// begins says that a step is no longer waiting.
func (b *build) begins(s *pipeline.Step) time.Time {
	b.job.Tell(s, engine.StepResult{ID: s.ID, Name: s.Name, State: engine.Running})
	return now()
}

func (b *build) record(s *pipeline.Step, state engine.State, took time.Duration, fail *engine.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.results[s.ID] = &engine.StepResult{ID: s.ID, Name: s.Name, State: state, Took: took, Failure: fail}
	b.job.Tell(s, *b.results[s.ID])
}

func (b *build) anyFailed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.results {
		if r.State == engine.Failed {
			return true
		}
	}
	return false
}

// collect puts the steps' results in the plan's order and adds the logs of the failed,
// which have all come by now.
func (b *build) collect(result *engine.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		r := b.results[s.ID]
		if r == nil {
			r = &engine.StepResult{ID: s.ID, Name: s.Name, State: engine.Skipped}
		}
		if r.Failure != nil && r.Failure.Log == "" {
			r.Failure.Log = b.failureLog(s)
			if noSpace(r.Failure.Log) && !noSpace(r.Failure.Message) {
				r.Failure.Message = fullDisk(r.Failure.Message + ": no space left on device")
			}
		}
		result.Steps = append(result.Steps, *r)
	}
}
