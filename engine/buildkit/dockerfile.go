package buildkit

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"slipway/engine"
	"slipway/engine/packing"
	"slipway/engine/toolchain"
	"slipway/pipeline"
)

// buildStep builds a Dockerfile with BuildKit's own frontend.
func (b *build) buildStep(ctx context.Context, gw gateway.Client, s *pipeline.Step, known map[digest.Digest]bool) (engine.State, *engine.Failure, error) {
	content, err := os.ReadFile(filepath.Join(b.job.Root, filepath.FromSlash(s.Build.Dockerfile)))
	if err != nil {
		return "", nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	state, err := b.graph.context(s)
	if err != nil {
		return "", nil, err
	}
	inputs := map[string]*pb.Definition{}
	for name, st := range map[string]llb.State{"context": state, "dockerfile": b.graph.dockerfile(s.Build, content)} {
		def, err := st.Marshal(ctx)
		if err != nil {
			return "", nil, fmt.Errorf("drawing the %s of %s: %w", name, s.Name, err)
		}
		inputs[name] = def.ToPB()
	}
	opts := b.graph.frontendOpts(s.Build)
	b.mirrorContexts(ctx, gw, s.Build.Bases, opts)
	res, err := b.solve(ctx, gw, s, gateway.SolveRequest{Frontend: "dockerfile.v0", FrontendOpt: opts, FrontendInputs: inputs})
	if err != nil {
		return "", nil, err
	}
	b.resolveBases(ctx, gw, s.Build.Bases)
	if !s.Build.Check {
		if b.config = res.Metadata[exptypes.ExporterImageConfigKey]; len(b.config) == 0 {
			return "", nil, fmt.Errorf("BuildKit built %s without an image config", s.Build.Dockerfile)
		}
	}
	if b.tracker.ranAny(known) {
		return engine.Done, nil, nil
	}
	return engine.Cached, nil, nil
}

// resolveBases notes the digests of the images that were built on. BuildKit has resolved
// them for this build already, so it answers from memory; where it cannot, the record
// lacks an entry and nothing else.
func (b *build) resolveBases(ctx context.Context, gw gateway.Client, bases []string) {
	for _, base := range bases {
		ref, err := reference.ParseNormalizedNamed(base)
		if err != nil || b.baseKnown(base) {
			continue
		}
		_, dgst, _, err := gw.ResolveImageConfig(ctx, reference.TagNameOnly(ref).String(), sourceresolver.Opt{
			ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &b.graph.platform},
		})
		if err != nil {
			continue
		}
		b.noteBase(base, dgst.String())
	}
}

func (b *build) noteBase(base, digest string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bases == nil {
		b.bases = map[string]string{}
	}
	b.bases[base] = digest
}

func (b *build) baseKnown(base string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bases[base] != ""
}

// imageStep is the plan's Build step that makes the image, nil where there is none.
func (b *build) imageStep() *pipeline.Step {
	for i := range b.plan.Steps {
		if s := &b.plan.Steps[i]; s.Build != nil && !s.Build.Check {
			return s
		}
	}
	return nil
}

// imageResult hands the image to the exporter, empty where the plan has none.
func (b *build) imageResult(context.Context) (*gateway.Result, error) {
	res := gateway.NewResult()
	s := b.imageStep()
	if s == nil {
		return res, nil
	}
	if b.exportedAlready(s) {
		b.skip = true
		return res, nil
	}
	ref, err := b.ref(s.ID)
	if err != nil {
		return nil, err
	}
	config, err := b.sink.config(b.config)
	if err != nil {
		return nil, err
	}
	res.SetRef(ref)
	res.AddMeta(exptypes.ExporterImageConfigKey, config)
	return res, nil
}

// exportedAlready reports whether the layout that is there is what would be exported:
// nothing was run for the image, and the layout is as it was left.
func (b *build) exportedAlready(image *pipeline.Step) bool {
	return !b.runner.o.DockerStore && b.results.Is(image.ID, engine.Cached) && b.last.Digest != "" && b.last.hasDir(b.job.Build, b.imageDir())
}

// imageDir is the layout that the image is exported to, relative to the build directory.
func (b *build) imageDir() string {
	for _, s := range b.plan.Steps {
		if s.Export != nil && s.Export.Image {
			return s.Export.To
		}
	}
	return ""
}

// stampFor applies the plan's version to an image config.
func stampFor(plan *pipeline.Plan, s *pipeline.Step) func([]byte) ([]byte, error) {
	return func(config []byte) ([]byte, error) {
		out, err := packing.Stamp(config, s.Build, plan.Created)
		if err != nil {
			return nil, fmt.Errorf("writing the version of %s into its image's config: %w", plan.Service, err)
		}
		return out, nil
	}
}

// uploadToolchain makes a toolchain's filesystem from plain files, for a BuildKit without
// the oci-layout source.
func uploadToolchain(version string, img *toolchain.Image) llb.State {
	local := llb.Local(storeName(version), llb.SharedKeyHint("slipway/"+img.Digest.String()), llb.WithCustomName("toolchain Go "+version))
	return llb.Scratch().File(llb.Copy(local, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}), llb.WithCustomName("toolchain Go "+version))
}

// lazyRoot serves a toolchain's plain files, which are unpacked only when asked for.
type lazyRoot struct{ img *toolchain.Image }

func (l lazyRoot) open(ctx context.Context) (fsutil.FS, error) {
	dir, err := l.img.RootFS(ctx)
	if err != nil {
		return nil, err
	}
	return fsutil.NewFS(dir)
}

func (l lazyRoot) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	files, err := l.open(ctx)
	if err != nil {
		return err
	}
	return files.Walk(ctx, target, fn)
}

func (l lazyRoot) Open(name string) (io.ReadCloser, error) {
	files, err := l.open(context.Background()) // unpacked by Walk, which came before
	if err != nil {
		return nil, err
	}
	return files.Open(name)
}
