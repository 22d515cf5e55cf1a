// Package comment writes what a merge or pull request is told about a pipeline: the images,
// or why there are none; the plan and the verdict of a deploy. It is pure: data in, Markdown out.
package comment

import (
	"time"

	"slipway/report/foreign"
)

// The most that a comment holds, in characters on GitLab, and counted here in bytes for both.
const (
	GitLabMax = 1_000_000
	GitHubMax = 65_536 // GitHub: "body is too long (maximum is 65536 characters)"
)

// Options are what a text depends on beside its data.
type Options struct {
	Max  int          // bytes, GitHubMax where 0
	Mask foreign.Mask // the secrets that no text may show
}

// About says what a comment is about.
type About struct {
	Commit    string
	Link      string // of the pipeline or job
	Reproduce string // the one line that runs it again
}

// Image is an image and how it came to be.
type Image struct {
	Service, Tag, Digest string
	Built                bool // false: it was there already
}

// Failure is why there is no image.
type Failure struct {
	Service, Step string // Step: "build", "lint", "test", "image", "push"
	Reason        string // a sentence, may be empty
	Tests         []string
	Findings      []string // "services/ping/main.go:12: text"
	Log           []string // the step's last lines
}

// Images is the comment of a pipeline's first half.
type Images struct {
	About
	Checked  []string // services that were checked and need no image
	Images   []Image
	Failures []Failure
	Warnings []string
}

// Plan is what a deploy would do, or did.
type Plan struct {
	Create, Update, Delete, Unchanged int
	Changes                           []Change
}

// Change is one object of a plan.
type Change struct {
	Action, Kind, Name, Note string
	Fields                   []string // "image: a → b"
}

// Reason is why a service failed.
type Reason struct {
	Message, Task, Node string
	ExitCode            *int
	Error               string   // the task's, as Swarm gives it
	Health              []string // outputs of the last health checks
	Log                 []string // the task's last lines
	Now                 string   // what runs now
}

// Service is what became of a service.
type Service struct {
	Name, Tag, State string
	OK               bool
	Running, Wanted  int
	Reason           *Reason
}

// Verdict is how a deploy ended.
type Verdict struct {
	Result      string // "done", "rolled back", …
	OK          bool
	Cause, Next string
	Services    []Service
	Took        time.Duration
}

// Deploy is the comment of a deploy: its plan, its verdict, or both.
type Deploy struct {
	About
	Env, Stack string
	Release    int
	Plan       *Plan
	Verdict    *Verdict
	Warnings   []string
}

// Key tells the comment of images from others.
func (Images) Key() string { return "images" }

// Key tells this environment's comment from others.
func (d Deploy) Key() string { return "deploy-" + d.Env }
