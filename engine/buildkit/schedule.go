package buildkit

import (
	"context"
	"sync"

	"slipway/pipeline"
)

// schedule tells steps when they may start. A step waits for what it needs, and, while
// the engine's caches are cold, for what it comes after.
type schedule struct {
	plan *pipeline.Plan
	warm bool

	ended map[string]chan struct{}
	ctxs  map[string]context.Context
	stop  map[string]context.CancelCauseFunc
	mu    sync.Mutex
	ok    map[string]bool
}

func newSchedule(ctx context.Context, plan *pipeline.Plan, warm bool) *schedule {
	s := &schedule{plan: plan, warm: warm, ended: map[string]chan struct{}{}, ctxs: map[string]context.Context{}, stop: map[string]context.CancelCauseFunc{}, ok: map[string]bool{}}
	for _, st := range plan.Steps {
		s.ended[st.ID] = make(chan struct{})
		s.ctxs[st.ID], s.stop[st.ID] = context.WithCancelCause(ctx)
	}
	return s
}

// await blocks until the step may start; false where it must not. The context is the
// step's own.
func (s *schedule) await(st *pipeline.Step) (context.Context, bool) {
	ctx := s.ctxs[st.ID]
	for _, id := range s.waitsFor(st) {
		select {
		case <-s.ended[id]:
		case <-ctx.Done():
			return ctx, false
		}
		s.mu.Lock()
		ok := s.ok[id]
		s.mu.Unlock()
		if !ok {
			return ctx, false
		}
	}
	return ctx, ctx.Err() == nil
}

// waitsFor lists the steps that must have ended before st may start.
func (s *schedule) waitsFor(st *pipeline.Step) []string {
	wait := st.Needs
	if s.warm {
		return wait
	}
	for _, id := range st.After {
		if s.ended[id] != nil { // else it is a step that this plan leaves out
			wait = append(wait[:len(wait):len(wait)], id)
		}
	}
	return wait
}

// end says how a step ended. Where it failed, those that come after it are stopped: a
// service that does not compile would fail its lint and its tests for the same reason.
func (s *schedule) end(st *pipeline.Step, ok bool) {
	s.mu.Lock()
	s.ok[st.ID] = ok
	s.mu.Unlock()
	close(s.ended[st.ID])
	if ok {
		return
	}
	for _, other := range s.plan.Steps {
		for _, id := range other.After {
			if id == st.ID {
				s.stop[other.ID](errSkipped)
			}
		}
	}
}
