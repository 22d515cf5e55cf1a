// Package recording keeps what a run of slipway did, when, and how it went: what the terminal
// shows, as data. A page and traces are made of it when the run is over.
package recording

import "time"

// Recording is one run of slipway.
type Recording struct {
	Title        string // the command: "build:service ping"
	Began, Ended time.Time
	State        State  // Done, Failed or Interrupted
	Exit         int    // the exit code
	Verdict      string // how it ended, in a sentence
	Repeat       string // the command that does the same again
	Facts        []Fact
	Groups       []Group // in the order in which they began
}

// Fact is something worth knowing, with what it is called.
type Fact struct{ Name, Value string }

// Group is what belongs together: the build of a service, a deploy, slipway's own preparations.
type Group struct {
	Name     string
	State    State
	Message  string // why it failed, where no span says so
	Facts    []Fact
	Spans    []Span // in the order in which they began
	Services []Service
}

// Began is when the first of a group's spans began.
func (g *Group) Began() time.Time {
	var first time.Time
	for _, s := range g.Spans {
		if first.IsZero() || s.Began.Before(first) {
			first = s.Began
		}
	}
	return first
}

// opens is when the first of a group's steps or tasks began.
func (g *Group) opens() time.Time {
	for _, s := range g.Spans {
		if !s.Detail {
			return s.Began
		}
	}
	return g.Began()
}

// Ended is when the last of a group's spans ended.
func (g *Group) Ended() time.Time {
	var last time.Time
	for _, s := range g.Spans {
		if s.Ended.After(last) {
			last = s.Ended
		}
	}
	return last
}

// State is how something ended.
type State string

// States.
const (
	Done        State = "done"
	Cached      State = "cached" // nothing was run: the result was there
	Reused      State = "reused" // no engine was asked: it is known to have passed elsewhere
	Failed      State = "failed"
	Skipped     State = "skipped" // something that it needs failed
	Interrupted State = "interrupted"
)

// Span is one piece of work.
type Span struct {
	ID     int // from 1, of this recording
	Parent int // the span that this one is a part of, 0 where it is the group's own
	// Detail says that it is the engine's work for a step, and no step or task by itself.
	Detail       bool
	Name         string
	Began, Ended time.Time
	State        State
	Message      string   // why it failed
	Notes        []string // what is known of a failure: findings, where, how to repeat it
	Log          []Line
	Dropped      int // lines of the log, its first, that were not kept
}

// Took is how long a span took.
func (s *Span) Took() time.Duration { return s.Ended.Sub(s.Began) }

// Line is one line of a log.
type Line struct {
	At   time.Time
	Text string
}

// Service is what became of a service in a deploy.
type Service struct {
	Name, Change, State, Tasks, Image string
	Failed                            bool
	Why                               string // all that is known of a failure
}
