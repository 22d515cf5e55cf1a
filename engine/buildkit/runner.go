// Package buildkit runs plans on a BuildKit, wherever that is. A plan becomes one build:
// its files are sent once, its steps are solved as they become ready, and what it exports
// is read back.
package buildkit

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/platforms"
	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/entitlements"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"slipway/engine"
	"slipway/engine/display"
	"slipway/engine/scratch"
	"slipway/engine/toolchain"
	"slipway/pipeline"
)

// Options say how a Runner runs.
type Options struct {
	Name string // what a person calls the engine
	// Warm says that the engine's caches hold what an earlier run compiled: steps that are
	// kept apart only while they are cold run side by side.
	Warm bool
	// OnWarm is called when a plan has run through.
	OnWarm func()
	// Parallel bounds the steps that run at once, over all plans.
	Parallel int
	CacheDir string // for toolchains
	Display  *display.Display
	// Auth finds the credentials for pulling base images from a host; nil for none.
	Auth func(host string) (types.AuthConfig, error)
	// Mirrors are named in errors: the engine itself has been told of them.
	Mirrors []string
	// ImageMirrors are mirrors of Docker Hub that the engine has not been told of, and whose
	// images it is given instead.
	ImageMirrors []string
	// DockerStore says that images go to the Docker store behind this BuildKit instead of
	// an OCI layout. PushStore then pushes from there.
	DockerStore bool
	PushStore   func(ctx context.Context, refs []string) (digest string, err error)
	// HostNetwork runs steps in the network of the engine's machine, for a BuildKit whose
	// containers have none otherwise.
	HostNetwork bool
	// OnClose is called by Close.
	OnClose func() error
}

// Runner runs plans on one BuildKit.
type Runner struct {
	c     *client.Client
	o     Options
	slots chan struct{}
}

var _ engine.Engine = (*Runner)(nil)

// New makes a Runner on a connected client, which it closes.
func New(c *client.Client, o Options) *Runner {
	return &Runner{c: c, o: o, slots: make(chan struct{}, max(1, o.Parallel))}
}

// Name implements engine.Engine.
func (r *Runner) Name() string { return r.o.Name }

// Close implements engine.Engine.
func (r *Runner) Close() error {
	err := r.c.Close()
	if r.o.OnClose != nil {
		if cerr := r.o.OnClose(); err == nil {
			err = cerr
		}
	}
	return err
}

// Run implements engine.Engine.
func (r *Runner) Run(ctx context.Context, job engine.Job) (*engine.Result, error) {
	b := &build{runner: r, job: job, plan: job.Plan, tracker: newTracker(), refs: map[string]gateway.Reference{}, results: engine.NewSteps(job)}
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
	tracker *tracker
	results *engine.Steps
	graph   *graph
	sink    sink
	scratch *scratch.Dir
	images  map[string]*toolchain.Image
	config  []byte                   // of the built image
	vertex  map[string]digest.Digest // that failed, by step
	failed  map[string]failedStep    // what a look into them needs

	last *exported
	skip bool // the image is exported as it would be

	mu    sync.Mutex
	refs  map[string]gateway.Reference // by step
	lost  error                        // why the engine is gone, nil while it is there
	bases map[string]string
}

func (b *build) run(ctx context.Context) (*engine.Result, error) {
	var err error
	if b.scratch, err = scratch.Open(b.job.Build); err != nil {
		return nil, err
	}
	defer b.scratch.Close()
	b.last = readExported(b.job.Build, b.plan.Service, exportKey(b.runner.o.Name, b.plan))
	opt, err := b.solveOpt(ctx)
	if err != nil {
		return nil, err
	}
	if b.sink, err = b.openSink(&opt); err != nil {
		return nil, err
	}

	ch, flush := b.runner.o.Display.Follow(b.plan.Service, b.tracker.watch)
	resp, err := b.runner.c.Build(ctx, opt, "slipway", b.steps, ch)
	flush()
	result := &engine.Result{Service: b.plan.Service, Engine: b.runner.o.Name, Bases: b.bases}
	if lost := b.lostEngine(); lost != nil {
		err = lost
	} else if b.results.AnyFailed() {
		err = nil // the steps say it better
	}
	if err != nil {
		return nil, b.engineError(err)
	}
	if resp != nil {
		began := now()
		if result.Digest, err = b.finish(resp.ExporterResponse); err != nil {
			return nil, fmt.Errorf("exporting the image of %s: %w", b.plan.Service, err)
		}
		b.exported(now().Sub(began))
		if err := b.push(ctx, result); err != nil {
			return nil, err
		}
	}
	b.collect(result)
	if b.runner.o.OnWarm != nil && !b.results.AnyFailed() {
		b.runner.o.OnWarm()
	}
	return result, nil
}

// solveOpt prepares what BuildKit asks this session for: files, toolchains, secrets,
// credentials.
func (b *build) solveOpt(ctx context.Context) (client.SolveOpt, error) {
	opt := client.SolveOpt{LocalMounts: map[string]fsutil.FS{}, OCIStores: map[string]content.Store{}}
	for i := range b.plan.Sources {
		src := &b.plan.Sources[i]
		if len(src.Literal) > 0 {
			continue
		}
		files, err := newSource(b.job.Root, src)
		if err != nil {
			return opt, fmt.Errorf("preparing the files of %s: %w", b.plan.Service, err)
		}
		opt.LocalMounts[localName(b.plan.Service, src.Name)] = files
	}
	b.images = map[string]*toolchain.Image{}
	arch := strings.TrimPrefix(b.plan.Platform, "linux/")
	for _, version := range b.plan.Requires {
		img, err := toolchain.Prepare(ctx, toolchain.Options{Go: version, Arch: arch, CacheDir: b.runner.o.CacheDir, Report: b.runner.o.Display})
		if err != nil {
			return opt, err
		}
		b.images[version] = img
		opt.OCIStores[storeName(version)] = img.Store()
		opt.LocalMounts[storeName(version)] = lazyRoot{img}
	}
	secrets := map[string][]byte{}
	maps.Copy(secrets, b.job.Secrets)
	opt.Session = []session.Attachable{secretsprovider.FromMap(secrets)}
	if auth := b.runner.o.Auth; auth != nil {
		opt.Session = append(opt.Session, authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
			AuthConfigProvider: func(_ context.Context, host string, _ []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
				return auth(host)
			},
		}))
	}
	if b.runner.o.HostNetwork {
		opt.AllowedEntitlements = append(opt.AllowedEntitlements, string(entitlements.EntitlementNetworkHost))
	}
	return opt, nil
}

func storeName(version string) string { return "toolchain-go" + version }

// toolchains gives each Go toolchain as a filesystem: handed over as an OCI layout by
// digest, or, where the BuildKit is too old for that (Docker 20.10), as plain files.
func (b *build) toolchains(gw gateway.Client) (map[string]llb.State, error) {
	states := map[string]llb.State{}
	caps := gw.BuildOpts().LLBCaps
	for version, img := range b.images {
		st := uploadToolchain(version, img)
		if caps.Supports(pb.CapSourceOCILayout) == nil {
			ref := "slipway/toolchain:go" + version + "@" + img.Digest.String()
			st = llb.OCILayout(ref, llb.OCIStore("", storeName(version)), llb.WithCustomName("toolchain Go "+version))
		}
		// BuildKit takes a layout's filesystem only: its environment comes with the config.
		st, err := st.WithImageConfig(img.Config)
		if err != nil {
			return nil, fmt.Errorf("reading the config of the Go %s toolchain: %w", version, err)
		}
		states[version] = st
	}
	return states, nil
}

func (b *build) newGraph(ctx context.Context, gw gateway.Client) error {
	platform, err := platforms.Parse(b.plan.Platform)
	if err != nil {
		return fmt.Errorf("the plan's platform %q: %w", b.plan.Platform, err)
	}
	states, err := b.toolchains(gw)
	if err != nil {
		return err
	}
	roots, err := b.rootImages(ctx, gw, platform)
	if err != nil {
		return err
	}
	b.graph = &graph{plan: b.plan, platform: platform, toolchains: states, images: roots, caBundle: b.job.CABundle, outputs: map[string]llb.State{}, hostNet: b.runner.o.HostNetwork}
	return nil
}
