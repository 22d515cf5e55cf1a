package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/progress"
)

// shown is what the display has of a service.
type shown struct {
	task progress.Task
	line string
	over bool
}

// show tells the display what is new about a service. One that is done at the first look is
// not worth a line.
func (w *watcher) show(g Goal, v view, o Outcome) {
	s := w.shown[g.ID]
	if s == nil {
		if o.State == Done {
			return
		}
		s = &shown{task: w.o.Report.Start("waiting for " + g.Key)}
		w.shown[g.ID] = s
	}
	if s.over {
		return
	}
	if line := o.line(v); line != s.line {
		s.line = line
		s.task.Log(line)
	}
	if o.State.final() {
		s.over = true
		var err error
		if o.State != Done {
			err = errors.New(s.line)
		}
		s.task.Done(err)
	}
}

func (o Outcome) line(v view) string {
	if o.Reason != nil {
		return fmt.Sprintf("%s: %s", o.State, o.Reason.Message)
	}
	states := map[string]int{}
	for _, t := range v.tasks {
		if !ended(t) {
			states[string(t.Status.State)]++
		}
	}
	parts := []string{fmt.Sprintf("%d of %d up to date", o.Running, o.Wanted)}
	for _, s := range slices.Sorted(maps.Keys(states)) {
		parts = append(parts, fmt.Sprintf("%d %s", states[s], s))
	}
	return strings.Join(parts, ", ")
}

// close ends what the display still shows: nobody waits for it any longer.
func (w *watcher) close() {
	for _, s := range w.shown {
		if !s.over {
			s.over = true
			s.task.Done(context.Canceled)
		}
	}
}
