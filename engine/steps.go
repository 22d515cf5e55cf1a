package engine

import (
	"sync"
	"time"

	"slipway/pipeline"
)

// Steps are the results of a plan's steps while it runs, for engines to keep them in. They are
// safe for concurrent use.
type Steps struct {
	job Job

	mu sync.Mutex
	by map[string]StepResult // by the step's id
}

// NewSteps are those of a job, none of which has begun.
func NewSteps(job Job) *Steps { return &Steps{job: job, by: map[string]StepResult{}} }

// Begin tells that a step is no longer waiting.
func (s *Steps) Begin(step *pipeline.Step) {
	s.job.Tell(step, StepResult{ID: step.ID, Name: step.Name, State: Running})
}

// End records how a step ended, and tells it. In what order steps ended, they are told.
func (s *Steps) End(step *pipeline.Step, state State, took time.Duration, fail *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[step.ID] = StepResult{ID: step.ID, Name: step.Name, State: state, Took: took, Failure: fail}
	s.job.Tell(step, s.by[step.ID])
}

// Is tells whether a step has ended in a state.
func (s *Steps) Is(id string, state State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[id].State == state
}

// AnyFailed tells whether a step has failed so far.
func (s *Steps) AnyFailed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.by {
		if r.State == Failed {
			return true
		}
	}
	return false
}

// Results are all steps of the plan in its order; those that never ended are skipped.
func (s *Steps) Results() (out []StepResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.job.Plan.Steps {
		step := &s.job.Plan.Steps[i]
		r, ended := s.by[step.ID]
		if !ended {
			r = StepResult{ID: step.ID, Name: step.Name, State: Skipped}
		}
		out = append(out, r)
	}
	return out
}
