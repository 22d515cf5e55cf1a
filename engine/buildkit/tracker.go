package buildkit

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// tracker keeps of a build's statuses what results are made from.
type tracker struct {
	patience time.Duration // how much later than a solve's answer its statuses may come
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when a status comes
	vertexes map[digest.Digest]*client.Vertex
	logs     map[digest.Digest]*bytes.Buffer
	failed   digest.Digest // the last vertex that ended with an error of its own
}

func newTracker() *tracker {
	return &tracker{patience: 3 * time.Second, changed: make(chan struct{}), vertexes: map[digest.Digest]*client.Vertex{}, logs: map[digest.Digest]*bytes.Buffer{}}
}

// logLimit bounds what is kept of one step's log: its end.
const logLimit = 256 << 10

func (t *tracker) watch(s *client.SolveStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range s.Vertexes {
		copied := *v
		if old := t.vertexes[v.Digest]; old != nil && copied.Started == nil {
			copied.Started = old.Started
		}
		t.vertexes[v.Digest] = &copied
		if v.Error != "" {
			t.failed = v.Digest
		}
	}
	close(t.changed)
	t.changed = make(chan struct{})
	for _, l := range s.Logs {
		b := t.logs[l.Vertex]
		if b == nil {
			b = &bytes.Buffer{}
			t.logs[l.Vertex] = b
		}
		b.Write(l.Data)
		if over := b.Len() - logLimit; over > logLimit {
			b.Next(over)
		}
	}
}

func (t *tracker) log(d digest.Digest) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.logs[d]; b != nil {
		return b.String()
	}
	return ""
}

// ended says of a vertex that a solve has answered for whether it was run, rather than found in
// the cache. Its end is reported beside the answer, and may come later. It never comes where
// BuildKit found that another build was at the same work (solver: state.setEdge merges such
// vertexes, and reports the end of one): that one ran it, and not this.
func (t *tracker) ended(ctx context.Context, d digest.Digest) (ran bool, err error) {
	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	for {
		t.mu.Lock()
		v, changed := t.vertexes[d], t.changed
		t.mu.Unlock()
		if v != nil && v.Completed != nil {
			return !v.Cached, nil
		}
		select {
		case <-changed:
		case <-patience.C:
			return false, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// ranAny reports whether a vertex that is not in known was run: what a Dockerfile's
// frontend made of it. Loading files and metadata does not count.
func (t *tracker) ranAny(known map[digest.Digest]bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d, v := range t.vertexes {
		if !known[d] && !v.Cached && v.Completed != nil && strings.HasPrefix(v.Name, "[") && !strings.Contains(v.Name, "internal]") && !strings.Contains(v.Name, "] files of ") {
			return true
		}
	}
	return false
}
