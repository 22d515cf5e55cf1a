package event

import (
	"fmt"
	"strings"

	"slipway/report/foreign"
)

// Part is one of the things that are done, in this order.
type Part string

// Parts.
const (
	Check  Part = "check"
	Images Part = "images"
	Deploy Part = "deploy"
)

// Parts are all, in their order.
var Parts = []Part{Check, Images, Deploy}

// Decision is what is to be done about an event.
type Decision struct {
	Check  Selection `json:"check"`
	Images Selection `json:"images"`
	Deploy []Target  `json:"deploy,omitempty"`
	// Refused is what was asked for and must not be.
	Refused []Refusal `json:"refused,omitempty"`
	// Notes say why something that one might expect is not done.
	Notes []string `json:"notes,omitempty"`
	// Labels are those that ask for something, in the event's order.
	Labels []string `json:"labels,omitempty"`
}

// Selection is the services that a part is about; none where nothing asks for it.
type Selection struct {
	Services []string `json:"services,omitempty"`
	Why      []string `json:"why,omitempty"`
}

// Target is an environment to deploy to.
type Target struct {
	Env string   `json:"env"`
	Why []string `json:"why"`
}

// Refusal is a whole sentence for a person.
type Refusal struct {
	// Part is "" for what no part can be done with: a label that is a mistake.
	Part Part   `json:"part,omitempty"`
	Env  string `json:"env,omitempty"`
	Text string `json:"text"`
}

// Only leaves one part, and of deploys those to one environment; "" leaves all.
func (d Decision) Only(part Part, env string) Decision {
	out := Decision{Notes: d.Notes, Labels: d.Labels}
	if part == "" || part == Check {
		out.Check = d.Check
	}
	if part == "" || part == Images {
		out.Images = d.Images
	}
	for _, t := range d.Deploy {
		if (part == "" || part == Deploy) && (env == "" || env == t.Env) {
			out.Deploy = append(out.Deploy, t)
		}
	}
	for _, r := range d.Refused {
		if r.Part == "" || (part == "" || part == r.Part) && (env == "" || r.Env == "" || env == r.Env) {
			out.Refused = append(out.Refused, r)
		}
	}
	return out
}

// Asks tells whether anything asks for a part, for a deploy to env; a refused one was asked
// for as well.
func (d Decision) Asks(part Part, env string) bool {
	switch part {
	case Check:
		return len(d.Check.Why) > 0
	case Images:
		return len(d.Images.Why) > 0
	}
	for _, t := range d.Deploy {
		if t.Env == env {
			return true
		}
	}
	for _, r := range d.Refused {
		if r.Part == Deploy && r.Env == env {
			return true
		}
	}
	return false
}

// Nothing tells whether there is nothing to do.
func (d Decision) Nothing() bool {
	return len(d.Check.Services)+len(d.Images.Services)+len(d.Deploy) == 0
}

// String is the decision for people, a line for each part.
func (d Decision) String() string {
	var b strings.Builder
	line := func(part Part, what, why []string) {
		if len(why) == 0 {
			return
		}
		names := strings.Join(what, ", ")
		if names == "" {
			names = "no service"
		}
		fmt.Fprintf(&b, "  %-7s %s (%s)\n", part, names, strings.Join(why, "; "))
	}
	line(Check, d.Check.Services, d.Check.Why)
	line(Images, d.Images.Services, d.Images.Why)
	for _, t := range d.Deploy {
		line(Deploy, []string{t.Env}, t.Why)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	return foreign.Plain(b.String())
}
