package timeline

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"slipway/progress/recording"
)

// view is what the page shows.
type view struct {
	Style    template.CSS
	Title    string
	State    state
	Verdict  string
	Repeat   string
	Facts    []recording.Fact
	Failures []failure
	Groups   []group
	Left     string
	Axis
}

// failure leads to the row of what failed.
type failure struct {
	ID   string // of the row
	Name string
	Text string
}

type group struct {
	ID       string
	Name     string
	State    state
	Took     string
	Message  string
	Facts    []recording.Fact
	Services []service
	Rows     []row
	Engine   []row // the engine's own work, folded
}

type service struct {
	recording.Service
	State state
	Word  string
}

// row is a lane with its bar.
type row struct {
	ID          string
	Name        string
	State       state
	Took        string
	When        string // for whom cannot see the bar
	Left, Width string // of the bar, in per cent
	Inner       bool   // a part of the row before
	Open        bool
	Message     string
	Notes       []string
	Log         []line
	Dropped     string
}

// More tells whether there is anything to unfold.
func (r row) More() bool {
	return r.Message != "" || len(r.Notes) > 0 || len(r.Log) > 0 || r.Dropped != ""
}

// line is a line of a log; At is "" where it came with the one before.
type line struct{ At, Text string }

// state is a State with the sign that stands for it.
type state struct {
	Word recording.State
	Sign string
}

var signs = map[recording.State]string{
	recording.Done: "✓", recording.Cached: "↺", recording.Reused: "↺", recording.Failed: "✗", recording.Skipped: "–", recording.Interrupted: "!",
}

func stateOf(s recording.State) state { return state{s, signs[s]} }

func look(r recording.Recording) *view {
	v := &view{Title: r.Title, State: stateOf(r.State), Verdict: r.Verdict, Repeat: r.Repeat, Facts: r.Facts, Axis: axis(r.Ended.Sub(r.Began))}
	v.Facts = append([]recording.Fact{{Name: "started", Value: r.Began.UTC().Format("2006-01-02 15:04:05 UTC")}, {Name: "took", Value: took(r.Ended.Sub(r.Began))}}, r.Facts...)
	for i := range r.Groups {
		g := lanes(&r, &r.Groups[i])
		g.ID = fmt.Sprintf("g%d", i+1)
		v.Groups = append(v.Groups, g)
	}
	for _, g := range r.Groups {
		for _, s := range g.Spans {
			if s.State == recording.Failed && !inFailed(&g, &s) {
				v.Failures = append(v.Failures, failure{ID: id(&s), Name: g.Name + ": " + s.Name, Text: s.Message})
			}
		}
	}
	return v
}

// inFailed tells whether a span is a part of one that failed itself, and says it better.
func inFailed(g *recording.Group, s *recording.Span) bool {
	for _, other := range g.Spans {
		if s.Detail && other.State == recording.Failed && (other.ID == s.Parent || !other.Detail) {
			return true
		}
	}
	return false
}

func id(s *recording.Span) string { return fmt.Sprintf("s%d", s.ID) }

// lanes puts a group's spans into rows: steps and tasks in their order, each followed by what is
// a part of it; then, folded, what the engine did beside.
func lanes(r *recording.Recording, g *recording.Group) group {
	out := group{Name: g.Name, State: stateOf(g.State), Message: g.Message, Facts: g.Facts}
	if !g.Began().IsZero() {
		out.Took = took(g.Ended().Sub(g.Began()))
	}
	for _, s := range g.Services {
		out.Services = append(out.Services, serviceOf(s))
	}
	for i := range g.Spans {
		s := &g.Spans[i]
		switch {
		case s.Parent > 0 && !minor(s):
		case s.Detail && s.State != recording.Failed:
			out.Engine = append(out.Engine, lane(r, s))
		default:
			out.Rows = append(out.Rows, lane(r, s))
			for k := range g.Spans {
				if part := &g.Spans[k]; part.Parent == s.ID && !minor(part) {
					inner := lane(r, part)
					inner.Inner = true
					out.Rows = append(out.Rows, inner)
				}
			}
		}
	}
	return out
}

// minor is what the engine does to prepare a step, where that took no time worth a lane.
func minor(s *recording.Span) bool {
	prepares := strings.HasPrefix(s.Name, "[internal]") || strings.Contains(s.Name, "] files of ")
	return s.Detail && prepares && s.State != recording.Failed && s.Took() < 100*time.Millisecond
}

func serviceOf(s recording.Service) service {
	state := recording.Done
	if s.Failed {
		state = recording.Failed
	}
	return service{s, stateOf(state), s.State}
}

func lane(r *recording.Recording, s *recording.Span) row {
	whole, from := r.Ended.Sub(r.Began), s.Began.Sub(r.Began)
	out := row{
		ID: id(s), Name: s.Name, State: stateOf(s.State), Took: took(s.Took()), When: "from " + took(from),
		Left: percent(from, whole), Width: percent(s.Took(), whole),
		Open: s.State == recording.Failed, Message: s.Message, Notes: s.Notes,
	}
	if s.State == recording.Skipped {
		out.Took, out.Width = "", ""
	}
	if s.Dropped > 0 {
		out.Dropped = count(s.Dropped, "earlier line") + " left out"
	}
	last := ""
	for _, l := range s.Log {
		at := took(max(0, l.At.Sub(s.Began)))
		if at == last {
			at = ""
		} else {
			last = at
		}
		out.Log = append(out.Log, line{at, l.Text})
	}
	return out
}

func percent(d, whole time.Duration) string {
	if whole <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.3f", 100*min(1, float64(d)/float64(whole)))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
