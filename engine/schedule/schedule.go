// Package schedule tells a plan's steps when they may start.
package schedule

import (
	"context"
	"errors"
	"sync"

	"slipway/pipeline"
)

// ErrSkipped is the cause of cancelling a step that a failed one makes pointless.
var ErrSkipped = errors.New("skipped: another step failed")

// Schedule tells steps when they may start. A step waits for what it needs, and, while
// the engine's caches are cold, for what it comes after.
type Schedule struct {
	plan *pipeline.Plan
	warm bool

	ended map[string]chan struct{}
	ctxs  map[string]context.Context
	stop  map[string]context.CancelCauseFunc
	mu    sync.Mutex
	ok    map[string]bool
}

// New makes the schedule of a plan; warm says that the engine's caches are filled.
func New(ctx context.Context, plan *pipeline.Plan, warm bool) *Schedule {
	s := &Schedule{plan: plan, warm: warm, ended: map[string]chan struct{}{}, ctxs: map[string]context.Context{}, stop: map[string]context.CancelCauseFunc{}, ok: map[string]bool{}}
	for _, st := range plan.Steps {
		s.ended[st.ID] = make(chan struct{})
		s.ctxs[st.ID], s.stop[st.ID] = context.WithCancelCause(ctx)
	}
	return s
}

// Await blocks until the step may start; false where it must not. The context is the
// step's own.
func (s *Schedule) Await(st *pipeline.Step) (context.Context, bool) {
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
func (s *Schedule) waitsFor(st *pipeline.Step) []string {
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

// End says how a step ended. Where it failed, those that come after it are stopped: a
// service that does not compile would fail its lint and its tests for the same reason.
func (s *Schedule) End(st *pipeline.Step, ok bool) {
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
				s.stop[other.ID](ErrSkipped)
			}
		}
	}
}
