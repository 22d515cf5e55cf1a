package buildkit

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"slipway/engine"
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

// collect adds the logs of the failed to the steps' results; they have all come by now.
func (b *build) collect(result *engine.Result) {
	result.Steps = b.results.Results()
	for i := range result.Steps {
		r := &result.Steps[i]
		if r.Failure != nil && r.Failure.Log == "" {
			r.Failure.Log = b.failureLog(&b.plan.Steps[i])
			if noSpace(r.Failure.Log) && !noSpace(r.Failure.Message) {
				r.Failure.Message = fullDisk(r.Failure.Message + ": no space left on device")
			}
		}
	}
}
