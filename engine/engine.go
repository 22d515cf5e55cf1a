// Package engine runs plans. Which engine that is (an embedded BuildKit, Docker's, one at
// an address) is chosen by package engine/choose; a plan does not know.
package engine

import (
	"context"
	"time"

	"slipway/pipeline"
)

// Engine runs plans. It is safe for concurrent use: build:all runs several plans at once.
type Engine interface {
	// Name is what a person calls it: "embedded BuildKit v0.33.1", "Docker 20.10.24".
	Name() string
	// Run executes a plan. A step that fails is in the result, with err nil; err is for
	// what kept the plan from running: the engine, the disk, a cancelled context.
	Run(ctx context.Context, job Job) (*Result, error)
	// Close lets go of the engine; one that others share goes on.
	Close() error
}

// Job is a plan with what running it needs from this machine.
type Job struct {
	Plan *pipeline.Plan
	// Root is the repository's directory, Build the one that exports are written to.
	Root, Build string
	// Secrets are files by the names that plans mount them under. A missing one is not
	// mounted.
	Secrets map[string][]byte
	// CABundle is the content of pipeline.CABundleFile.
	CABundle []byte
	// Push sends the image that the engine exported (see Pusher); nil where the plan has no
	// push step.
	Push Pusher
	// Told is told of each step, when it begins (Running) and when it has ended; nil for nobody.
	Told func(step *pipeline.Step, now StepResult)
	// Shell is opened in what the first failed step left; nil for none. Only engines that are
	// Lookers do so.
	Shell *Shell
}

// Tell tells Told, where there is somebody to tell.
func (j Job) Tell(step *pipeline.Step, now StepResult) {
	if j.Told != nil {
		j.Told(step, now)
	}
}

// Pusher sends an image to its registry under the plan's references, and returns the
// manifest's digest there. dir is the OCI layout that the engine exported, "" where the
// image is in a Docker store and the engine pushes by itself.
type Pusher interface {
	PushLayout(ctx context.Context, dir string, plan *pipeline.Plan) (digest string, err error)
}

// Result is what happened.
type Result struct {
	Service string       `json:"service"`
	Engine  string       `json:"engine"`
	Steps   []StepResult `json:"steps"` // in the plan's order
	// Digest is the image's: of its manifest, or of its config where it is in a Docker
	// store and not pushed; "" where none was built.
	Digest string `json:"digest,omitempty"`
	// Bases are the images that the Dockerfile builds on, by reference, with the digest
	// that was used.
	Bases map[string]string `json:"bases,omitempty"`
}

// State is how a step ended.
type State string

// The states of a step.
const (
	Done    State = "done"
	Cached  State = "cached"  // nothing was run: the result was there
	Failed  State = "failed"  // ran and failed
	Skipped State = "skipped" // something that it needs failed
	Reused  State = "reused"  // no engine was asked: a trusted entry says that it passed (package reuse)
	Running State = "running" // of a step that a Job tells of while it runs; in no Result
)

// StepResult is how one step went.
type StepResult struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	State   State         `json:"state"`
	Took    time.Duration `json:"took"` // wall clock, waiting for other steps not included
	Failure *Failure      `json:"failure,omitempty"`
}

// Failure is why a step failed.
type Failure struct {
	// Exit is the command's exit status, 0 where there was none.
	Exit int `json:"exit,omitempty"`
	// Message is one sentence; File and Line say where, relative to the repository, when
	// that is known.
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	// Log is what the step printed, its end where it was long.
	Log string `json:"log,omitempty"`
	// Reports are small files of the step's output by name: test.json, lint.json.
	Reports map[string][]byte `json:"-"`
}

// Failed returns the steps that failed.
func (r *Result) Failed() []StepResult {
	var out []StepResult
	for _, s := range r.Steps {
		if s.State == Failed {
			out = append(out, s)
		}
	}
	return out
}
