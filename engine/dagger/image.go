package dagger

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	sdk "dagger.io/dagger"

	"slipway/engine"
	"slipway/engine/packing"
	"slipway/pipeline"
)

// dockerfileName is the Dockerfile's name beside the context's files, and what keeps it, and
// a .dockerignore that the plan has heeded already, out of the image.
const (
	dockerfileName = ".slipway.Dockerfile"
	ignoreRules    = "/" + dockerfileName + "*\n"
)

// buildStep builds a Dockerfile. Dagger does not say whether it had the result, so the step is
// always said to have run.
func (b *build) buildStep(ctx context.Context, s *pipeline.Step) (engine.State, *engine.Failure, error) {
	content, err := os.ReadFile(filepath.Join(b.job.Root, filepath.FromSlash(s.Build.Dockerfile)))
	if err != nil {
		return "", nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	dir, err := b.context(s, content)
	if err != nil {
		return "", nil, err
	}
	for _, base := range s.Build.Bases {
		if err := b.runner.login(ctx, base); err != nil {
			return "", nil, err
		}
	}
	opts := sdk.DirectoryDockerBuildOpts{Dockerfile: dockerfileName, Platform: sdk.Platform(b.plan.Platform), Target: s.Build.Target}
	for _, a := range s.Build.Args {
		opts.BuildArgs = append(opts.BuildArgs, sdk.BuildArg{Name: a.Name, Value: a.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(b.job.Secrets)) { // a Dockerfile mounts them by these names
		opts.Secrets = append(opts.Secrets, b.runner.c.SetSecret(name, string(b.job.Secrets[name])))
	}
	image, err := dir.DockerBuild(opts).Sync(ctx)
	if err != nil {
		return "", nil, err
	}
	b.resolveBases(ctx, s.Build.Bases)
	if !s.Build.Check {
		b.mu.Lock()
		b.image, b.dockerfile = image, content
		b.mu.Unlock()
	}
	return engine.Done, nil, nil
}

// context is a Build step's context: its source with the extra files laid over, all with one
// time, so that layers that copy from it do not depend on when a file was written.
func (b *build) context(s *pipeline.Step, dockerfile []byte) (*sdk.Directory, error) {
	dir, err := b.source(s.Build.Source)
	if err != nil {
		return nil, err
	}
	for i, e := range s.Build.Extra {
		if e.CABundle {
			over := filepath.Join(b.scratch.Path, fmt.Sprintf("%s-%d", strings.ReplaceAll(s.ID, "/", "-"), i))
			if err := write(filepath.Join(over, filepath.FromSlash(e.To)), b.job.CABundle, 0o644); err != nil {
				return nil, fmt.Errorf("preparing the CA bundle: %w", err)
			}
			dir = dir.WithDirectory("/", b.runner.upload(over))
			continue
		}
		out := b.output(e.Step)
		if out == nil {
			return nil, fmt.Errorf("step %s: it uses the output of %s, which does not come before it", s.ID, e.Step)
		}
		dir = dir.WithFile(e.To, out.File(e.Path))
	}
	return dir.
		WithNewFile(dockerfileName, string(dockerfile)).
		WithNewFile(dockerfileName+".dockerignore", ignoreRules).
		WithTimestamps(int(packing.Epoch.Unix())), nil
}

// resolveBases notes the digests of the images that were built on. Where Dagger cannot name
// one, the record lacks an entry and nothing else.
func (b *build) resolveBases(ctx context.Context, bases []string) {
	for _, base := range bases {
		ref, err := b.runner.c.Container(sdk.ContainerOpts{Platform: sdk.Platform(b.plan.Platform)}).From(base).ImageRef(ctx)
		_, digest, found := strings.Cut(ref, "@")
		if err != nil || !found {
			continue
		}
		b.mu.Lock()
		if b.bases == nil {
			b.bases = map[string]string{}
		}
		b.bases[base] = digest
		b.mu.Unlock()
	}
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
