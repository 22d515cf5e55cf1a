// Package diff compares what a manifest wants with what a Swarm holds. It is pure.
package diff

import (
	"fmt"
	"slices"

	"slipway/deploy/live"
)

// Action is what a deploy does with an object.
type Action string

// Actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // remove and create: Swarm refuses the change
	Remove  Action = "remove"
	Leave   Action = "leave" // it is as wanted
	Keep    Action = "keep"  // it is not wanted, and not removed all the same; the note says why
)

// Kind is what an object is.
type Kind string

// Kinds.
const (
	SecretKind  Kind = "secret"
	ConfigKind  Kind = "config"
	NetworkKind Kind = "network"
	ServiceKind Kind = "service"
)

// Field is one difference. Values are as a person reads them, and never those of secrets.
type Field struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Operation is what is to be done with one object.
type Operation struct {
	Action Action  `json:"action"`
	Kind   Kind    `json:"kind"`
	Name   string  `json:"name"`
	Key    string  `json:"key,omitempty"` // the service's key in the manifest
	Fields []Field `json:"fields,omitempty"`
	// Restarts: the update makes new tasks. Swarm does where the task's or the endpoint's part
	// of a spec differs (swarmkit, orchestrator/task.go: IsTaskDirty).
	Restarts bool   `json:"restarts,omitempty"`
	Note     string `json:"note,omitempty"`
	// ID and Version are the live object's, where there is one.
	ID      string `json:"id,omitempty"`
	Version uint64 `json:"version,omitempty"`
}

// Plan is all that a deploy would do.
type Plan struct {
	Stack string `json:"stack"`
	// Operations are secrets, configs, networks and services, in that order, each by name.
	Operations []Operation `json:"operations"`
	Warnings   []string    `json:"warnings,omitempty"`
	// Seen has each object that the plan depends on, "service/web", with its id and version,
	// "" for one that is not there.
	Seen map[string]string `json:"seen"`
}

// Changes tells whether there is anything to write.
func (p *Plan) Changes() bool {
	return slices.ContainsFunc(p.Operations, func(o Operation) bool { return o.Action != Leave && o.Action != Keep })
}

// Moved says what is no longer as the plan saw it, a sentence for each object.
func (p *Plan) Moved(now *live.State) []string {
	var out []string
	for _, key := range sortedKeys(p.Seen) {
		was, is := p.Seen[key], mark(now, key)
		switch {
		case was == is:
		case was == "":
			out = append(out, key+" was not there, and is now")
		case is == "":
			out = append(out, key+" was there, and is gone")
		default:
			out = append(out, fmt.Sprintf("%s was changed (it was %s, and is %s)", key, was, is))
		}
	}
	return out
}
