package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/pipeline"
)

// Client pushes images, and reads and writes what is kept beside them.
type Client struct {
	keys   *Keys
	shared connection
}

// NewClient makes a client that uses these keys.
func NewClient(keys *Keys) *Client { return &Client{keys: keys} }

// CanPush proves that the registry accepts a push under the reference, by starting an
// upload and giving it up, as the distribution specification allows. Nothing is written.
func (c *Client) CanPush(ctx context.Context, ref string) error {
	r, err := name.ParseReference(ref)
	if err != nil {
		return fmt.Errorf("%q is no image reference: %w", ref, err)
	}
	done := make(chan error, 1)
	go func() { done <- remote.CheckPushPermission(r, c.keys, http.DefaultTransport) }()
	select {
	case err = <-done:
	case <-ctx.Done(): // the library takes no context; the request ends with the process
		return context.Cause(ctx)
	}
	if err != nil {
		return c.explain("push to", r, err)
	}
	return nil
}

// PushLayout implements engine.Pusher: it sends the only image of an OCI layout, its tag
// first, so that a floating tag never names what the tag does not. Blobs that the registry
// has are not sent again.
func (c *Client) PushLayout(ctx context.Context, dir string, plan *pipeline.Plan) (string, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return "", fmt.Errorf("reading the image in %s: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		return "", fmt.Errorf("reading the image in %s: it is no layout with one image (%w)", dir, err)
	}
	digest := manifest.Manifests[0].Digest
	img, err := index.Image(digest)
	if err != nil {
		return "", fmt.Errorf("reading the image in %s: %w", dir, err)
	}
	for _, tag := range append([]string{plan.Tag}, plan.Floating...) {
		if err := c.write(ctx, plan.Image+":"+tag, img); err != nil {
			return "", err
		}
	}
	return digest.String(), nil
}

func (c *Client) write(ctx context.Context, ref string, img v1.Image) error {
	r, err := name.ParseReference(ref)
	if err != nil {
		return fmt.Errorf("%q is no image reference: %w", ref, err)
	}
	if err := remote.Write(r, img, remote.WithContext(ctx), remote.WithAuthFromKeychain(c.keys)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.explain("push", r, err)
	}
	return nil
}

// explain says what a registry's refusal means and what to do.
func (c *Client) explain(doing string, r name.Reference, err error) error {
	host := r.Context().RegistryStr()
	auth, aerr := c.keys.AuthConfig(host)
	if aerr != nil {
		return fmt.Errorf("cannot %s %s: %w. Repair that, or set REGISTRY_USER and REGISTRY_PASSWORD", doing, r, aerr)
	}
	who := "without credentials"
	if auth.Username != "" {
		who = "as " + auth.Username
	}
	var te *transport.Error
	if !errors.As(err, &te) {
		var network *net.OpError // says it without the library's words around it
		if errors.As(err, &network) {
			err = network
		}
		return fmt.Errorf("cannot %s %s: the registry %s does not answer: %w. Check REGISTRY and the network", doing, r, host, err)
	}
	switch te.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("cannot %s %s: %s refuses the login %s (401). Set REGISTRY_USER and REGISTRY_PASSWORD, or run `docker login %s`", doing, r, host, who, host)
	case http.StatusForbidden:
		return fmt.Errorf("cannot %s %s: %s does not let in %s (403): the login is right, but it may not write %s. Ask for the right to push", doing, r, host, who, r.Context().RepositoryStr())
	}
	return fmt.Errorf("cannot %s %s: %s answered %d: %w", doing, r, host, te.StatusCode, err)
}
