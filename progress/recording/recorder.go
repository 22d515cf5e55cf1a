package recording

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Recorder makes a Recording. It is safe for concurrent use.
type Recorder struct {
	now   func() time.Time
	began time.Time

	mu     sync.Mutex
	groups []*group
}

// New begins a recording.
func New(now func() time.Time) *Recorder { return &Recorder{now: now, began: now()} }

// group is a Group under way.
type group struct {
	Group
	spans []*span
}

// span is a Span under way.
type span struct {
	Span
	over  bool
	step  string // its id in the plan, for a step
	holds bool   // the engine's work that is no other step's is a part of it
	from  *stream
	log   tail

	output tail // of a step: what is taken for its log where there is no other
}

// In is what is recorded of one group, which is made where it is not there.
func (r *Recorder) In(name string) *Scope {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.groups {
		if g.Name == name {
			return &Scope{r, g}
		}
	}
	g := &group{Group: Group{Name: name}}
	r.groups = append(r.groups, g)
	return &Scope{r, g}
}

// Empty tells whether nothing was done so far.
func (r *Recorder) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(r.groups, func(g *group) bool { return len(g.spans) > 0 })
}

// Recording is what there is by now. What is still under way counts as interrupted, and so does
// what failed because of stopped, where a person ended the work.
func (r *Recorder) Recording(stopped error) Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := Recording{Began: r.began, Ended: r.now()}
	for _, g := range r.groups {
		if len(g.spans) == 0 && g.State == "" {
			continue
		}
		done := g.Group
		done.Facts = slices.Clone(g.Facts)
		done.Spans = g.finished(out.Began, out.Ended, stopped)
		if done.State == Failed && causedBy(done.Message, stopped) {
			done.State = Interrupted
		}
		if done.State == "" {
			done.State = worst(done.Spans)
		}
		out.Groups = append(out.Groups, done)
	}
	slices.SortStableFunc(out.Groups, func(a, b Group) int { return a.opens().Compare(b.opens()) })
	n := 0
	for gi := range out.Groups {
		g := &out.Groups[gi]
		first := n
		for i := range g.Spans {
			n++
			g.Spans[i].ID = n
			if p := g.Spans[i].Parent; p > 0 {
				g.Spans[i].Parent = first + p
			}
		}
	}
	return out
}

// finished gives a group's spans in their order, with parents counted from 1 in this group.
func (g *group) finished(began, ended time.Time, stopped error) []Span {
	spans := make([]*span, 0, len(g.spans))
	for _, s := range g.spans {
		s := *s // what is under way goes on
		s.log.lines = slices.Clone(s.log.lines)
		s.log.flush(ended)
		s.Log, s.Dropped = s.log.lines, s.log.dropped
		s.output.flush(s.Ended)
		s.settle(began, ended, stopped)
		spans = append(spans, &s)
	}
	spans = g.merge(spans)
	slices.SortStableFunc(spans, func(a, b *span) int { return cmp.Or(a.Began.Compare(b.Began), b.Ended.Compare(a.Ended)) })
	out := make([]Span, len(spans))
	for i, s := range spans {
		for k, of := range spans {
			if s.Detail && of.holds && !s.Began.Before(of.Began) && !s.Ended.After(of.Ended) {
				s.Parent = k + 1
			}
		}
		out[i] = s.Span
	}
	return out
}

// settle gives a span its last state and times on this machine's clock, within the run's.
func (s *span) settle(began, ended time.Time, stopped error) {
	if s.from != nil {
		skew := s.from.skew()
		s.Began = s.Began.Add(skew)
		if s.over {
			s.Ended = s.Ended.Add(skew)
		}
		for i := range s.Log {
			s.Log[i].At = s.Log[i].At.Add(skew)
		}
	}
	if !s.over {
		s.Ended, s.State = ended, Interrupted
	}
	switch {
	case s.State == Failed && s.Message == context.Canceled.Error():
		s.State, s.Message = Interrupted, ""
	case s.State == Failed && (strings.HasSuffix(s.Message, context.Canceled.Error()) || causedBy(s.Message, stopped)):
		s.State = Interrupted
	}
	if s.over && s.State == Done && s.Ended.Before(began) { // another command did it, and the engine still has it
		s.State = Cached
	}
	if s.Began.Before(began) {
		s.Began = began
	}
	if s.Ended.Before(s.Began) {
		s.Ended = s.Began
	}
}

// causedBy tells whether it is said that something failed since the work was stopped.
func causedBy(message string, stopped error) bool {
	return stopped != nil && strings.Contains(message, stopped.Error())
}

// merge leaves out the engine's work that is just what a step runs, and gives its log to the step.
func (g *group) merge(spans []*span) []*span {
	steps := map[string]*span{}
	for _, s := range spans {
		if s.step != "" {
			steps["["+g.Name+"] "+s.Name] = s
		}
	}
	out := slices.DeleteFunc(spans, func(s *span) bool {
		step := steps[s.Name]
		if !s.Detail || step == nil {
			return false
		}
		step.Log = append(step.Log, s.Log...)
		step.Dropped += s.Dropped
		return true
	})
	for _, s := range out {
		if len(s.Log) == 0 {
			s.Log, s.Dropped = s.output.lines, s.output.dropped
		}
	}
	return out
}

// worst is the state of a group by its spans. The engine's work counts with its step.
func worst(spans []Span) State {
	state := Cached
	for _, s := range spans {
		switch {
		case s.Detail:
		case s.State == Failed:
			return Failed
		case s.State == Interrupted:
			state = Interrupted
		case s.State == Done && state == Cached:
			state = Done
		}
	}
	return state
}
