package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"golang.org/x/sync/errgroup"

	"slipway/pipeline"
)

// Manifest reads the manifest of an image by its digest, nil where the registry does not have
// it. What the registry gives for a digest has that digest.
func (c *Client) Manifest(ctx context.Context, image, digest string) ([]byte, error) {
	ref, err := name.NewDigest(image + "@" + digest)
	if err != nil {
		return nil, fmt.Errorf("%s@%s is no image reference: %w", image, digest, err)
	}
	got, err := c.puller().Get(ctx, ref)
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, c.whyNot(ctx, "read", ref, err)
	case !got.MediaType.IsImage():
		return nil, BadEntry{fmt.Errorf("it names no image but %s", got.MediaType)}
	}
	return got.Manifest, nil
}

// Config reads an image's config by the digest of its manifest.
func (c *Client) Config(ctx context.Context, image, digest string) ([]byte, error) {
	ref, err := name.NewDigest(image + "@" + digest)
	if err != nil {
		return nil, fmt.Errorf("%s@%s is no image reference: %w", image, digest, err)
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.Reuse(c.puller()))
	if err == nil {
		var config []byte
		if config, err = img.RawConfigFile(); err == nil {
			return config, nil
		}
	}
	return nil, c.whyNot(ctx, "read", ref, err)
}

// Retag gives an image whose layers the registry has another config, under the plan's tag and
// its floating ones; the tag comes first, so that a floating one never names what it does not.
func (c *Client) Retag(ctx context.Context, plan *pipeline.Plan, config, manifest []byte) error {
	ref, err := name.NewTag(plan.Ref())
	if err != nil {
		return fmt.Errorf("%q is no image reference: %w", plan.Ref(), err)
	}
	var m v1.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil || m.MediaType == "" {
		return errors.New("the image's manifest cannot be read")
	}
	p := c.pusher()
	if err := p.Upload(ctx, ref.Context(), static.NewLayer(config, m.Config.MediaType)); err != nil {
		return c.whyNot(ctx, "push", ref, err)
	}
	put := func(ref name.Reference) error {
		if err := p.Put(ctx, ref, rawManifest{manifest, m.MediaType}); err != nil {
			return c.whyNot(ctx, "push", ref, err)
		}
		return nil
	}
	if err := put(ref); err != nil {
		return err
	}
	var eg errgroup.Group
	for _, tag := range plan.Floating {
		eg.Go(func() error { return put(ref.Context().Tag(tag)) })
	}
	return eg.Wait()
}
