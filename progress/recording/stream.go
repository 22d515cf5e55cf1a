package recording

import (
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// stream is what one build on a BuildKit tells, by that machine's clock.
type stream struct {
	spans map[digest.Digest]*span
	lag   time.Duration // the least time from when something happened there to when it was known here
	seen  bool
}

// skewed is how far apart clocks are that count as apart: what happens is told within less.
const skewed = 2 * time.Second

// skew is what has to be added to times of the other machine.
func (s *stream) skew() time.Duration {
	if s.seen && (s.lag > skewed || s.lag < -skewed) {
		return s.lag
	}
	return 0
}

// happened is told of a time on the other machine's clock.
func (s *stream) happened(there, here time.Time) {
	if lag := here.Sub(there); !s.seen || lag < s.lag {
		s.lag, s.seen = lag, true
	}
}

// Follow records what a build on a BuildKit tells, as the engine's work for the group of this
// name.
func (s *Scope) Follow(name string) func(*client.SolveStatus) {
	r, scope := s.r, s.r.In(name)
	from := &stream{spans: map[digest.Digest]*span{}}
	return func(status *client.SolveStatus) {
		r.mu.Lock()
		defer r.mu.Unlock()
		now := r.now()
		for _, v := range status.Vertexes {
			scope.vertex(from, v, now)
		}
		for _, l := range status.Logs {
			from.happened(l.Timestamp, now)
			if s := from.spans[l.Vertex]; s != nil {
				s.log.add(l.Timestamp, string(l.Data))
			}
		}
	}
}

// vertex takes the state of a vertex. One that did not begin was not needed.
func (s *Scope) vertex(from *stream, v *client.Vertex, now time.Time) {
	sp := from.spans[v.Digest]
	if sp == nil {
		if v.Started == nil {
			return
		}
		sp = &span{Span: Span{Name: v.Name, Began: *v.Started, Detail: true}, from: from}
		from.spans[v.Digest] = sp
		s.g.spans = append(s.g.spans, sp)
		from.happened(*v.Started, now)
	}
	if sp.over = v.Completed != nil; !sp.over { // it may begin again
		return
	}
	from.happened(*v.Completed, now)
	sp.log.flush(*v.Completed)
	sp.Ended, sp.State = *v.Completed, Done
	switch {
	case v.Error != "":
		sp.State, sp.Message = Failed, v.Error
	case v.Cached:
		sp.State = Cached
	}
}
