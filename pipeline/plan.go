// Package pipeline decides what will be done for a service and why, as data: which
// services a repository has, what each is made of, its tag, and the plan of steps that
// checks it, packs it into an image and pushes it. Nothing here touches the world: a
// repository comes in as a Tree, a plan goes out, and package engine executes it.
package pipeline

import "time"

// PlanVersion is part of every inputs hash: raise it when the same inputs would be
// built into something else by a newer slipway.
const PlanVersion = 1

// Plan is everything that will be done for one service. It can be printed (Plan.Tree),
// compared and stored as JSON, and run by any engine.
type Plan struct {
	Version  int       `json:"version"`
	Project  string    `json:"project"`
	Service  string    `json:"service"`
	Dir      string    `json:"dir"`     // the service's directory, relative to the repository
	Tag      string    `json:"tag"`     // YYYYMMDD_xxxxxxxx, with -dirty appended for uncommitted inputs
	Commit   string    `json:"commit"`  // 40 hex digits: the commit that last changed the inputs
	Created  time.Time `json:"created"` // that commit's time, UTC
	Dirty    bool      `json:"dirty,omitempty"`
	Inputs   Inputs    `json:"inputs"`
	Go       string    `json:"go,omitempty"`        // Go version from go.mod, "" without Go code
	Module   *Module   `json:"module,omitempty"`    // the Go module, where there is Go code
	Platform string    `json:"platform"`            // "linux/amd64"
	Image    string    `json:"image,omitempty"`     // repository name with registry where one is set, no tag
	Floating []string  `json:"floating,omitempty"`  // further tags that move along ("dev", "latest")
	Sources  []Source  `json:"sources"`             // trees that steps mount or build from
	Steps    []Step    `json:"steps"`               // in an order in which they can run
	Requires []string  `json:"toolchain,omitempty"` // assembled Go toolchains that steps run on ("1.26.8")
}

// Module is the Go module that a service belongs to.
type Module struct {
	Path string `json:"path"` // import path
	Dir  string `json:"dir"`  // relative to the repository
}

// Source is a set of files that steps use: part of the repository's working tree, or a
// few literal files.
type Source struct {
	Name string `json:"name"`
	// Root is the directory, relative to the repository, that becomes the source's top.
	Root string `json:"root,omitempty"`
	// Files are slash-separated paths relative to Root, sorted.
	Files []string `json:"files,omitempty"`
	// Literal files by path, for sources that are not in the repository.
	Literal map[string]string `json:"literal,omitempty"`
}

// Step is one thing to do. Exactly one of Run, Build, Export and Push is set.
type Step struct {
	ID   string `json:"id"`   // unique in the plan and equal for equal work: "ping/test"
	Name string `json:"name"` // for progress: "test ping"
	Why  string `json:"why"`  // what it is for, in a few words
	// Needs are the steps that must have succeeded before.
	Needs []string `json:"needs,omitempty"`
	// After are steps waited for only where the engine's caches are cold: in parallel
	// they would each compile the standard library anew.
	After []string `json:"after,omitempty"`

	Run    *Run    `json:"run,omitempty"`
	Build  *Build  `json:"build,omitempty"`
	Export *Export `json:"export,omitempty"`
	Push   *Push   `json:"push,omitempty"`
}

// Run runs a command in a container. What it leaves in /out is the step's output.
type Run struct {
	// On is the root filesystem.
	On     Root     `json:"on"`
	Args   []string `json:"args"`
	Dir    string   `json:"dir"`
	Env    []Var    `json:"env,omitempty"`
	Mounts []Mount  `json:"mounts,omitempty"`
	// Verdict says that the command always exits with 0 and leaves its own exit status
	// in /out/exit, so that its reports survive a failure.
	Verdict bool `json:"verdict,omitempty"`
}

// Root names a root filesystem: a toolchain assembled for a Go version, or an image.
type Root struct {
	Go    string `json:"go,omitempty"`
	Image string `json:"image,omitempty"`
}

// Var is an environment variable.
type Var struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Mount puts something at Target: exactly one of Source (a Source's name), Step (the
// /out of a step that this one needs), Cache (a named directory that survives runs,
// shared by concurrent steps) and Secret (a file of the caller's machine, never cached,
// stored or part of a cache key; left out where the caller has none) is set.
type Mount struct {
	Target string `json:"target"`
	Source string `json:"source,omitempty"`
	Step   string `json:"step,omitempty"`
	Cache  string `json:"cache,omitempty"`
	Secret string `json:"secret,omitempty"`
}

// Build builds a Dockerfile.
type Build struct {
	// Dockerfile is its path in the repository.
	Dockerfile string `json:"dockerfile"`
	// Source is the context's Source; Extra is laid over it.
	Source string `json:"source"`
	// Extra are files put into the context: path in it → where from.
	Extra  []Extra `json:"extra,omitempty"`
	Target string  `json:"target,omitempty"`
	Args   []Var   `json:"args,omitempty"`
	// Env and Labels are set in the finished image's config, after the Dockerfile:
	// they do not change its layers.
	Env    []Var `json:"env,omitempty"`
	Labels []Var `json:"labels,omitempty"`
	// Bases are the images that it builds on or copies from, as the Dockerfile names them.
	Bases []string `json:"bases,omitempty"`
	// Check says that only success counts: the image is thrown away.
	Check bool `json:"check,omitempty"`
}

// Extra is a file laid over a build context: Path in the /out of Step, or the CA bundle
// (CABundle) that slipway carries.
type Extra struct {
	To       string `json:"to"`
	Step     string `json:"step,omitempty"`
	Path     string `json:"path,omitempty"`
	CABundle bool   `json:"caBundle,omitempty"`
}

// Export writes something below the repository's build directory: the file Path of the
// /out of Step, or, where Image is set, the image that the step built (as an OCI layout,
// or into the Docker store where the engine is Docker's).
type Export struct {
	Step  string `json:"step"`
	Path  string `json:"path,omitempty"`
	Image bool   `json:"image,omitempty"`
	To    string `json:"to"`
}

// Push sends the image that Step built to Plan.Image under Plan.Tag and Plan.Floating.
type Push struct {
	Step string `json:"step"`
}

// Step returns the step of that ID, or nil.
func (p *Plan) Step(id string) *Step {
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}

// Source returns the source of that name, or nil.
func (p *Plan) Source(name string) *Source {
	for i := range p.Sources {
		if p.Sources[i].Name == name {
			return &p.Sources[i]
		}
	}
	return nil
}

// Ref is the image's full reference, "registry/ping:20261122_4605cc6e".
func (p *Plan) Ref() string { return p.Image + ":" + p.Tag }
