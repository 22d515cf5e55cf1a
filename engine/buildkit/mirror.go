package buildkit

import (
	"context"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// dockerHub is what mirrors stand in for.
const dockerHub = "docker.io"

// mirrorContexts names the stand-ins of a Dockerfile's base images to its frontend, as
// named contexts (BuildKit's frontend/dockerui, "context:NAME"): so a BuildKit that others
// run, and whose own mirrors are not ours to set, takes images from ours.
func (b *build) mirrorContexts(ctx context.Context, gw gateway.Client, bases []string, opts map[string]string) {
	for _, base := range bases {
		ref, err := reference.ParseNormalizedNamed(base)
		if err != nil {
			continue // the frontend says what is wrong with it
		}
		if instead := b.standIn(ctx, gw, ref, b.graph.platform); instead != "" {
			name := reference.FamiliarString(reference.TagNameOnly(ref))
			opts["context:"+strings.TrimSuffix(name, ":latest")] = "docker-image://" + instead
			_, digest, _ := strings.Cut(instead, "@")
			b.noteBase(base, digest)
		}
	}
}

// standIn is the first mirror's image for one of Docker Hub, by digest; "" where none has
// it or the image is another registry's.
func (b *build) standIn(ctx context.Context, gw gateway.Client, ref reference.Named, platform ocispecs.Platform) string {
	if reference.Domain(ref) != dockerHub {
		return ""
	}
	for _, mirror := range b.runner.o.ImageMirrors {
		_, host, schemed := strings.Cut(mirror, "://")
		if !schemed {
			host = mirror
		}
		there, err := reference.ParseNormalizedNamed(strings.TrimSuffix(host, "/") + strings.TrimPrefix(reference.TagNameOnly(ref).String(), dockerHub))
		if err != nil {
			continue
		}
		_, digest, _, err := gw.ResolveImageConfig(ctx, there.String(), sourceresolver.Opt{
			LogName: "mirror " + there.String(), ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &platform},
		})
		if err != nil {
			continue
		}
		if pinned, err := reference.WithDigest(reference.TrimNamed(there), digest); err == nil {
			return pinned.String()
		}
	}
	return ""
}
