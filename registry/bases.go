package registry

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"
)

// Digests asks for the digests that images have now, each with one request and all at once.
// mirrors stand in for Docker Hub, as they do in builds; the first that has an image counts.
// Images named by their digest need no asking, and are left out. The error names an image that
// nobody gives.
func (c *Client) Digests(ctx context.Context, images, mirrors []string) (map[string]string, error) {
	out := map[string]string{}
	var mu sync.Mutex
	eg, ctx := errgroup.WithContext(ctx)
	asked := map[string]bool{}
	for _, image := range images {
		if strings.Contains(image, "@") || asked[image] {
			continue
		}
		asked[image] = true
		eg.Go(func() error {
			digest, err := c.digest(ctx, image, mirrors)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			out[image] = digest
			return nil
		})
	}
	return out, eg.Wait()
}

func (c *Client) digest(ctx context.Context, image string, mirrors []string) (string, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return "", fmt.Errorf("%q is no image reference: %w", image, err)
	}
	if ref.Context().RegistryStr() == name.DefaultRegistry {
		for _, mirror := range mirrors {
			if there, err := standIn(mirror, ref); err == nil {
				if d, err := c.puller().Head(ctx, there); err == nil {
					return d.Digest.String(), nil
				}
			}
		}
	}
	d, err := c.puller().Head(ctx, ref)
	if err != nil {
		return "", c.whyNot(ctx, "ask for", ref, err)
	}
	return d.Digest.String(), nil
}

// standIn is a mirror's name for an image of Docker Hub.
func standIn(mirror string, ref name.Reference) (name.Reference, error) {
	var options []name.Option
	scheme, host, schemed := strings.Cut(mirror, "://")
	if !schemed {
		host = mirror
	} else if scheme == "http" {
		options = append(options, name.Insecure)
	}
	return name.ParseReference(strings.TrimSuffix(host, "/")+"/"+ref.Context().RepositoryStr()+":"+ref.Identifier(), options...)
}
