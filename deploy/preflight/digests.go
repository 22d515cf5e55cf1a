// Package preflight makes sure, before a deploy's first write, of what would fail it later.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/remote"
)

// Digests asks the manager's daemon for the digest of each image, since what the Swarm can
// reach is what counts. auth gives the X-Registry-Auth header for an image. All failures come
// at once. The digest of an image for several platforms is that of its index.
func Digests(ctx context.Context, docker *client.Client, images []string, auth func(image string) string) (map[string]string, error) {
	out := map[string]string{}
	errs := make([]error, len(images))
	var mu sync.Mutex
	var eg errgroup.Group
	eg.SetLimit(8)
	for i, image := range images {
		eg.Go(func() error {
			got, err := docker.DistributionInspect(ctx, image, client.DistributionInspectOptions{EncodedRegistryAuth: auth(image)})
			if err != nil {
				errs[i] = explain(image, err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			out[image] = got.Descriptor.Digest.String()
			return nil
		})
	}
	_ = eg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// explain reads a daemon's answer: its HTTP codes say little (Docker 20.10 has 401 for an image
// that is not there, as Docker Hub has for those that one may not see).
func explain(image string, err error) error {
	host := "its registry"
	if ref, fault := reference.ParseNormalizedNamed(image); fault == nil {
		host = reference.Domain(ref)
	}
	text := err.Error()
	bare := strings.ToLower(strings.NewReplacer(image, "", host, "").Replace(text)) // names may have any of the words
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(bare, p) })
	}
	switch {
	case remote.Lost(err) && !has("registry", "dial tcp") && !strings.Contains(text, host):
		return fmt.Errorf("asking for the digest of %s: %w", image, err)
	case has("connection refused", "no such host", "i/o timeout", "dial tcp", "client.timeout", "tls", "http response to https"):
		return fmt.Errorf("the image %s cannot be looked up: the server does not reach %s: %s", image, host, lastPart(text))
	case has("manifest unknown", "not found", "name unknown") || errdefs.IsNotFound(err):
		return fmt.Errorf("there is no image %s: push it first (image:push), or check its name and tag", image)
	case has("unauthorized", "authentication required", "incorrect username", "denied", "no basic auth") || errdefs.IsUnauthorized(err) || errdefs.IsPermissionDenied(err):
		return fmt.Errorf("%s refuses to show the image %s: wrong or missing credentials, or no image of that name; set REGISTRY_USER and REGISTRY_PASSWORD to ones that may pull it", host, image)
	}
	return fmt.Errorf("the image %s cannot be looked up: %w", image, err)
}

// lastPart is the innermost reason of a chain of them.
func lastPart(text string) string {
	if i := strings.Index(text, "dial tcp"); i >= 0 {
		return text[i:]
	}
	return text
}
