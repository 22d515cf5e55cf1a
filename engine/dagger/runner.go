// Package dagger runs plans on a Dagger engine, through its Go SDK: the one translator from
// slipway's plan to Dagger, for mage and for the functions of the Dagger module, which run this
// program inside of their session. It imports nothing of BuildKit's client.
package dagger

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	sdk "dagger.io/dagger"
	"github.com/docker/cli/cli/config/types"

	"slipway/engine"
	"slipway/engine/scratch"
	"slipway/pipeline"
	"slipway/progress"
)

// Options say how a Runner runs.
type Options struct {
	Name     string // what a person calls the engine; "" asks it for its version
	Parallel int    // bounds the steps that run at once, over all plans
	Report   progress.Reporter
	CacheDir string // keeps assembled Go toolchains
	// Auth finds the credentials for pulling base images from a host; nil for none but those
	// that Dagger finds by itself.
	Auth func(host string) (types.AuthConfig, error)
	// OnClose is called by Close.
	OnClose func() error
}

// Runner runs plans on one Dagger engine.
type Runner struct {
	c     *sdk.Client
	o     Options
	slots chan struct{}
	// upload hands a directory of this machine to the engine.
	upload func(dir string) *sdk.Directory
	// session marks what this session ran, see markRun.
	session string

	rootMu  sync.Mutex
	roots   map[pipeline.Root]*sdk.Container
	loginMu sync.Mutex
	pulls   map[string]bool // hosts that the session has been given credentials for
}

var _ engine.Engine = (*Runner)(nil)

// New makes a Runner on a connected client, which stays the caller's.
func New(ctx context.Context, c *sdk.Client, o Options) (*Runner, error) {
	if o.Name == "" {
		version, err := c.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking the Dagger engine for its version: %w", err)
		}
		o.Name = "Dagger " + version
	}
	if o.Report == nil {
		o.Report = progress.Discard()
	}
	return &Runner{
		c: c, o: o, slots: make(chan struct{}, max(1, o.Parallel)), session: rand.Text(),
		roots: map[pipeline.Root]*sdk.Container{}, pulls: map[string]bool{},
		upload: func(dir string) *sdk.Directory { return c.Host().Directory(dir, sdk.HostDirectoryOpts{NoCache: true}) },
	}, nil
}

// Name implements engine.Engine.
func (r *Runner) Name() string { return r.o.Name }

// Close implements engine.Engine.
func (r *Runner) Close() error {
	if r.o.OnClose != nil {
		return r.o.OnClose()
	}
	return nil
}

// Run implements engine.Engine.
func (r *Runner) Run(ctx context.Context, job engine.Job) (*engine.Result, error) {
	b := &build{
		runner: r, job: job, plan: job.Plan, outputs: map[string]*sdk.Directory{},
		sources: map[string]*sdk.Directory{}, results: engine.NewSteps(job),
	}
	result, err := b.run(ctx)
	if err != nil && ctx.Err() != nil {
		return result, fmt.Errorf("building %s was interrupted: %w", job.Plan.Service, context.Cause(ctx))
	}
	return result, err
}

// build is one run of one plan.
type build struct {
	runner  *Runner
	job     engine.Job
	plan    *pipeline.Plan
	scratch *scratch.Dir
	sources map[string]*sdk.Directory // by name
	results *engine.Steps

	mu      sync.Mutex
	outputs map[string]*sdk.Directory // /out by step
	image   *sdk.Container
	// dockerfile is what the image was built by.
	dockerfile []byte
	bases      map[string]string
	lost       error // why the engine is gone, nil while it is there
}

func (b *build) run(ctx context.Context) (*engine.Result, error) {
	var err error
	if b.scratch, err = scratch.Open(b.job.Build); err != nil {
		return nil, err
	}
	defer b.scratch.Close()
	if err := b.upload(ctx); err != nil {
		return nil, err
	}
	if err := b.steps(ctx); err != nil {
		return nil, err
	}
	result := &engine.Result{Service: b.plan.Service, Engine: b.runner.o.Name, Bases: b.bases}
	if !b.results.AnyFailed() {
		if err := b.finish(ctx, result); err != nil {
			return nil, err
		}
	}
	result.Steps = b.results.Results()
	return result, nil
}
