package buildkit

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// rootImages resolves the images that the plan's steps run on, each once: to the digest that
// its name has now, and with its config, since BuildKit takes only an image's filesystem,
// and without the image's PATH its go is not found.
func (b *build) rootImages(ctx context.Context, gw gateway.Client, platform ocispecs.Platform) (map[string]llb.State, error) {
	states := map[string]llb.State{}
	for _, s := range b.plan.Steps {
		if s.Run == nil || s.Run.On.Image == "" {
			continue
		}
		name := s.Run.On.Image
		if _, done := states[name]; done {
			continue
		}
		st, err := b.resolveRoot(ctx, gw, name, platform)
		if err != nil {
			return nil, fmt.Errorf("the toolchain image %s: %s", name, b.noImage(plainMessage(err)))
		}
		states[name] = st
	}
	return states, nil
}

func (b *build) resolveRoot(ctx context.Context, gw gateway.Client, name string, platform ocispecs.Platform) (llb.State, error) {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return llb.State{}, err
	}
	ref = reference.TagNameOnly(ref)
	if instead := b.standIn(ctx, gw, ref, platform); instead != "" {
		if ref, err = reference.ParseNormalizedNamed(instead); err != nil {
			return llb.State{}, err
		}
	}
	_, digest, config, err := gw.ResolveImageConfig(ctx, ref.String(), sourceresolver.Opt{
		LogName: "toolchain " + name, ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &platform},
	})
	if err != nil {
		return llb.State{}, err
	}
	if ref, err = reference.WithDigest(reference.TrimNamed(ref), digest); err != nil {
		return llb.State{}, err
	}
	b.noteBase(name, digest.String())
	return llb.Image(ref.String(), llb.Platform(platform), llb.WithCustomName("toolchain "+name)).WithImageConfig(config)
}
