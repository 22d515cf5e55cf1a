package recording

import (
	"slices"
	"time"

	"slipway/progress"
)

// Scope records into one group.
type Scope struct {
	r *Recorder
	g *group
}

var _ progress.Reporter = (*Scope)(nil)

// Start implements progress.Reporter.
func (s *Scope) Start(name string) progress.Task {
	return &task{s.r, s.begin(&span{Span: Span{Name: name}})}
}

func (s *Scope) begin(sp *span) *span {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	sp.Began = s.r.now()
	s.g.spans = append(s.g.spans, sp)
	return sp
}

// Step is told that a step of the group's plan begins. What the engine does for nothing else
// that is known is a part of one that holds it.
func (s *Scope) Step(id, name string, holds bool) {
	s.begin(&span{Span: Span{Name: name}, step: id, holds: holds})
}

// StepEnded is told how a step ended, and how long it took, for one that was not known to have
// begun. Only the first call counts.
func (s *Scope) StepEnded(id, name string, state State, message string, took time.Duration) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	now := s.r.now()
	sp := s.g.step(id)
	switch {
	case sp == nil:
		sp = &span{Span: Span{Name: name, Began: now.Add(-took)}, step: id}
		s.g.spans = append(s.g.spans, sp)
	case sp.over:
		return
	case state == Skipped: // it had begun, and was stopped
		state = Interrupted
	}
	sp.Ended, sp.State, sp.Message, sp.over = now, state, message, true
}

// Output is a step's log where the engine did not tell it while the step ran.
func (s *Scope) Output(id, log string) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if sp := s.g.step(id); sp != nil {
		sp.output.add(sp.Ended, log)
	}
}

// step is the last one of this id.
func (g *group) step(id string) *span {
	for _, sp := range slices.Backward(g.spans) {
		if sp.step == id {
			return sp
		}
	}
	return nil
}

// Note adds what is known of a step's failure.
func (s *Scope) Note(id string, notes ...string) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if sp := s.g.step(id); sp != nil {
		sp.Notes = append(sp.Notes, notes...)
	}
}

// Fact adds something worth knowing about the group; what has no value is not.
func (s *Scope) Fact(name, value string) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if f := (Fact{name, value}); value != "" && !slices.Contains(s.g.Facts, f) {
		s.g.Facts = append(s.g.Facts, f)
	}
}

// Conclude says how the group ended, and why, where its spans do not.
func (s *Scope) Conclude(state State, message string, services ...Service) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.g.State, s.g.Message, s.g.Services = state, message, services
}

// task is a span as a progress.Task.
type task struct {
	r *Recorder
	s *span
}

// Log implements progress.Task.
func (t *task) Log(line string) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.s.log.add(t.r.now(), line+"\n")
}

// Amount implements progress.Task. How far it was at some time is of no interest later.
func (t *task) Amount(string, int64, int64) {}

// Done implements progress.Task.
func (t *task) Done(err error) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if t.s.over {
		return
	}
	t.s.over, t.s.Ended, t.s.State = true, t.r.now(), Done
	if err != nil {
		t.s.State, t.s.Message = Failed, err.Error()
	}
}
