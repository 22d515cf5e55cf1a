// Package repro compares a recorded run with its repetition: whether the same failed in the
// same way and the same digests came out, or what differs and what may have made it differ. It
// is pure.
package repro

import (
	"slices"

	"slipway/report"
)

// Circumstances are what a run depends on beside its commit: what must be equal for a
// repetition to be worth a comparison.
type Circumstances struct {
	Commit string `json:"commit"` // HEAD
	// Project is the repository's directory, which names the project where settings do not.
	Project string `json:"project,omitempty"`
	// Slipway is its own commit, with -dirty appended for changes; "" where it does not know.
	Slipway       string `json:"slipway,omitempty"`
	Engine        string `json:"engine,omitempty"`
	EngineVersion string `json:"engineVersion,omitempty"`
	Platform      string `json:"platform,omitempty"`
	Registry      string `json:"registry,omitempty"`  // $REGISTRY
	Toolchain     string `json:"toolchain,omitempty"` // $SLIPWAY_TOOLCHAIN
	// Mirrors are of Docker Hub, without credentials.
	Mirrors []string `json:"mirrors,omitempty"`
	// Changed are paths with uncommitted changes.
	Changed []string `json:"changed,omitempty"`
}

// Run is what a run did.
type Run struct {
	With     Circumstances
	Services []Service
	Deploys  []Deploy
	// Error is what kept a part from running at all, "" for nothing. Pushing says that the part
	// was to push.
	Error   string
	Pushing bool
}

// Service is what was done for one service.
type Service struct {
	Name, Tag, Inputs, Go, Digest string

	Bases map[string]string
	Error string // of the engine, instead of steps
	Steps []Step
}

// Step is how one step went.
type Step struct {
	ID, Name string
	State    State
	Push     bool // to a registry, which a repetition never does
	Failure  *Failure
}

// State is how a step ended. Whether its result came from a cache is no part of how it behaves.
type State string

// States.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Failure is why a step failed.
type Failure struct {
	Exit     int
	Message  string
	File     string
	Line     int
	Findings []report.Finding
	Log      string
}

// Deploy is how a deploy went, or how far it was repeated.
type Deploy struct {
	Env    string
	Result string // in a word, "" where nothing was written
	Exit   int
	Error  string // "" where it went well
	// Applied says that it was tried on a Swarm, Planned that it was compared with one.
	Applied, Planned bool
	Services         []Deployed
}

// Deployed is what became of one service of a stack.
type Deployed struct {
	Name, State, Why string
}

func (r Run) service(name string) *Service {
	for i := range r.Services {
		if r.Services[i].Name == name {
			return &r.Services[i]
		}
	}
	return nil
}

// Failed tells whether the service failed.
func (s Service) Failed() bool {
	return s.Error != "" || slices.ContainsFunc(s.Steps, func(s Step) bool { return s.State == Failed })
}

func (s Service) step(id string) *Step {
	for i := range s.Steps {
		if s.Steps[i].ID == id {
			return &s.Steps[i]
		}
	}
	return nil
}

func (r Run) deploy(env string) *Deploy {
	for i := range r.Deploys {
		if r.Deploys[i].Env == env {
			return &r.Deploys[i]
		}
	}
	return nil
}
