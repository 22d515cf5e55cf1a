// Package watch sees services through until they run as they should, or it is known that they
// do not, and why. Its verdict is about what is live, not about what was asked for.
package watch

import (
	"context"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/progress"
)

// Change is what a deploy did to a service.
type Change int

// Changes.
const (
	Unchanged Change = iota
	Created
	Updated
)

// Goal is one service to see through.
type Goal struct {
	Key, Name, ID string
	// Spec is as the daemon showed it right after the write, or shows it where nothing was
	// written.
	Spec    swarm.ServiceSpec
	Version uint64
	Change  Change
	// Before has the ids of tasks that were there before the write. Anew says that they do not
	// count, though they look like the wanted ones: the endpoint alone has changed, and tasks do
	// not show theirs.
	Before map[string]bool
	Anew   bool
}

// State is how it stands with a service.
type State string

// States. Waiting and RollingBack are on the way; the others are final.
const (
	Waiting          State = "waiting"
	Done             State = "done"
	RollingBack      State = "rolling back"
	RolledBack       State = "rolled back"
	Paused           State = "paused"
	Failed           State = "failed"
	TimedOut         State = "timed out"
	ChangedByAnother State = "changed by another"
	Gone             State = "gone"
)

// bad tells a state that no longer can become done.
func (s State) bad() bool { return s != Waiting && s != Done }

func (s State) final() bool { return s != Waiting && s != RollingBack }

// Outcome is what became of a service.
type Outcome struct {
	Key     string        `json:"service"`
	Name    string        `json:"name"`
	State   State         `json:"state"`
	Running int           `json:"running"`
	Wanted  int           `json:"wanted"`
	Reason  *Reason       `json:"reason,omitempty"`
	Took    time.Duration `json:"-"`
}

// Reason is why a service is not done, with the evidence.
type Reason struct {
	Message   string   `json:"message"`
	Task      string   `json:"task,omitempty"`
	Node      string   `json:"node,omitempty"`
	ExitCode  *int     `json:"exitCode,omitempty"`
	TaskError string   `json:"taskError,omitempty"` // Status.Err
	Health    []string `json:"health,omitempty"`    // outputs of the last health checks
	Log       []string `json:"log,omitempty"`       // the task's last lines
	Now       string   `json:"now,omitempty"`       // what runs now
}

// Options say how long to wait, and whom to tell.
type Options struct {
	Timeout time.Duration
	Report  progress.Reporter
	// Early is called once, as soon as a service is known to have failed, before it has settled.
	Early func([]Outcome)
	// StopOnFailure ends the watch when a failed service has settled, whatever the others do.
	StopOnFailure bool
	// Node talks to a node's daemon, which alone has what its containers' health checks said. nil
	// where only the manager's own is reached.
	Node func(context.Context, swarm.Node) (*client.Client, error)
}

const defaultMonitor = 5 * time.Second // swarmkit, api/defaults: Service.Update.Monitor

// monitor is how long a service's tasks have to run before they count as up.
func monitor(s swarm.ServiceSpec) time.Duration {
	if u := s.UpdateConfig; u != nil && u.Monitor > 0 {
		return u.Monitor
	}
	return defaultMonitor
}
