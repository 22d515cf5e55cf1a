// Package stream reads what the Docker daemon sends of a container's output.
package stream

import (
	"bytes"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// Both is the start of a container's stdout and stderr as they came, of a stream that has them
// apart (Docker's API, "ContainerAttach"). It reads to the end and keeps the first limit bytes;
// with an error it is what came until then.
func Both(from io.Reader, limit int) (string, error) {
	both := &bounded{limit: limit}
	_, err := stdcopy.StdCopy(both, both, from)
	return both.String(), err
}

// bounded keeps the first bytes and drops the rest.
type bounded struct {
	bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room > 0 {
		_, _ = b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
