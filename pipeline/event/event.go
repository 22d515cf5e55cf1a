// Package event reads what has happened (a merge request with labels, a merge to main, a run by
// hand) from what a CI system says of it, and decides what is to be done about it. It is pure:
// variables and files are handed to it.
package event

import (
	"fmt"
	"strings"

	"slipway/report/foreign"
)

// Kind is what has happened.
type Kind string

// Kinds, as -event= names them.
const (
	MergeRequest Kind = "merge" // GitHub's pull request
	Push         Kind = "push"
	Manual       Kind = "manual"
	Tag          Kind = "tag"
	Schedule     Kind = "schedule"
)

// Kinds are all that there are.
var Kinds = []Kind{MergeRequest, Push, Manual, Tag, Schedule}

// System is where an event comes from.
type System string

// Systems; a laptop has none.
const (
	GitLab System = "GitLab"
	GitHub System = "GitHub"
)

// Event is what has happened.
type Event struct {
	Kind   Kind   `json:"kind"`
	System System `json:"system,omitempty"`
	// Name is the CI system's own word for it.
	Name   string   `json:"name,omitempty"`
	Labels []string `json:"labels,omitempty"`
	// Branch is "" for a tag, and where HEAD is on none.
	Branch  string `json:"branch,omitempty"`
	Default string `json:"default,omitempty"` // branch; "" where it is not known, which means main
	Tag     string `json:"tag,omitempty"`
	Target  string `json:"target,omitempty"` // branch that a merge request is for
	Request int    `json:"request,omitempty"`
	// Base is a commit of what a merge request is compared with.
	Base   string `json:"base,omitempty"`
	Commit string `json:"commit,omitempty"`
	// Fork says that the branch is another repository's, where anybody may name one main.
	Fork bool `json:"fork,omitempty"`
	// ByHand says that a person started just this job: it does its part though nothing else
	// asks for it.
	ByHand bool `json:"byHand,omitempty"`
	// Environment is the one that a person chose to deploy to.
	Environment string `json:"environment,omitempty"`
	Actor       string `json:"actor,omitempty"`
	Link        string `json:"link,omitempty"` // to the run, for people
}

// main is the branch that merges go to.
func (e Event) main() string {
	if e.Default == "" {
		return "main"
	}
	return e.Default
}

// OnMain tells whether the branch is the one that merges go to.
func (e Event) OnMain() bool { return e.Branch != "" && e.Branch == e.main() && !e.Fork }

// String tells a person what has happened.
func (e Event) String() string {
	var b strings.Builder
	switch e.Kind {
	case MergeRequest:
		what := "merge request"
		if e.System == GitHub {
			what = "pull request"
		}
		b.WriteString(what)
		if e.Request > 0 {
			fmt.Fprintf(&b, " %d", e.Request)
		}
		if e.Branch != "" {
			b.WriteString(" of " + e.Branch)
		}
		if e.Fork {
			b.WriteString(" (a fork's)")
		}
		if e.Target != "" {
			b.WriteString(" into " + e.Target)
		}
	case Push:
		b.WriteString("push to " + branchOrNone(e.Branch))
	case Tag:
		b.WriteString("tag " + e.Tag)
	case Schedule:
		b.WriteString("schedule on " + branchOrNone(e.Branch))
	case Manual:
		b.WriteString("run by hand on " + branchOrNone(e.Branch))
	default:
		b.WriteString("event " + e.Name)
	}
	if len(e.Labels) > 0 {
		b.WriteString(", labels " + strings.Join(e.Labels, ", "))
	}
	if e.Environment != "" {
		b.WriteString(", environment " + e.Environment)
	}
	if e.ByHand && e.Kind != Manual {
		b.WriteString(", this job started by hand")
	}
	return foreign.Line(b.String())
}

func branchOrNone(b string) string {
	if b == "" {
		return "no branch"
	}
	return b
}

// Split reads labels separated by commas.
func Split(labels string) []string {
	var out []string
	for _, l := range strings.Split(labels, ",") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
