package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Kinds of an entry beside an image: an OCI artifact (image-spec, manifest.md, "Guidelines for
// Artifact Usage") whose one layer is a signed envelope, embedded in the manifest as well, so
// that one request reads it.
const (
	EntryType    = "application/vnd.slipway.inputs.v1"
	envelopeType = types.MediaType("application/vnd.dsse.envelope.v1+json")
	emptyType    = types.MediaType("application/vnd.oci.empty.v1+json")
)

// maxEntry bounds an entry's manifest, in bytes: an envelope within it, in base64.
const maxEntry = 2 << 20

// BadEntry is why what lies under an entry's tag is none. Its text follows on a name.
type BadEntry struct{ error }

// Unwrap gives the cause.
func (e BadEntry) Unwrap() error { return e.error }

// Entry reads the envelope under a tag, nil where there is none. A BadEntry is one that whoever
// may push could have put there; other errors are the registry's.
func (c *Client) Entry(ctx context.Context, image, tag string) ([]byte, error) {
	ref, err := name.NewTag(image + ":" + tag)
	if err != nil {
		return nil, fmt.Errorf("%s:%s is no image reference: %w", image, tag, err)
	}
	got, err := c.puller().Get(ctx, ref)
	if missing(err) {
		return nil, nil
	}
	var large errTooLarge
	switch {
	case errors.As(err, &large):
		return nil, BadEntry{fmt.Errorf("it is larger than %d KiB", maxEntry>>10)}
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, c.explain("read", ref, err)
	}
	return envelopeIn(got.Manifest, got.MediaType)
}

func envelopeIn(manifest []byte, kind types.MediaType) ([]byte, error) {
	var m v1.Manifest
	switch {
	case len(manifest) > maxEntry:
		return nil, BadEntry{fmt.Errorf("it is larger than %d KiB", maxEntry>>10)}
	case kind != types.OCIManifestSchema1:
		return nil, BadEntry{fmt.Errorf("it is of another kind (%s)", kind)}
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, BadEntry{errors.New("its manifest cannot be read")}
	}
	switch {
	case m.ArtifactType != EntryType:
		return nil, BadEntry{fmt.Errorf("it is of another kind (%q)", m.ArtifactType)}
	case len(m.Layers) != 1 || m.Layers[0].MediaType != envelopeType:
		return nil, BadEntry{errors.New("it holds something else than one signed envelope")}
	}
	l := m.Layers[0]
	sum, _, err := v1.SHA256(bytes.NewReader(l.Data))
	if err != nil || sum != l.Digest || int64(len(l.Data)) != l.Size {
		return nil, BadEntry{errors.New("it is damaged: its content is not what its digest says")}
	}
	return l.Data, nil
}

// WriteEntry puts an envelope under a tag.
func (c *Client) WriteEntry(ctx context.Context, image, tag string, envelope []byte) error {
	ref, err := name.NewTag(image + ":" + tag)
	if err != nil {
		return fmt.Errorf("%s:%s is no image reference: %w", image, tag, err)
	}
	layer, empty := static.NewLayer(envelope, envelopeType), static.NewLayer([]byte("{}"), emptyType)
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: EntryType, Config: described(empty), Layers: []v1.Descriptor{described(layer)}}
	m.Config.Data, m.Layers[0].Data = []byte("{}"), envelope
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing %s: %w", ref, err)
	}
	p := c.pusher()
	for _, blob := range []v1.Layer{empty, layer} {
		if err := p.Upload(ctx, ref.Context(), blob); err != nil {
			return c.whyNot(ctx, "push", ref, err)
		}
	}
	if err := p.Put(ctx, ref, rawManifest{raw, types.OCIManifestSchema1}); err != nil {
		return c.whyNot(ctx, "push", ref, err)
	}
	return nil
}

func described(l v1.Layer) v1.Descriptor {
	digest, _ := l.Digest() // of bytes in memory: they do not fail
	size, _ := l.Size()
	kind, _ := l.MediaType()
	return v1.Descriptor{MediaType: kind, Digest: digest, Size: size}
}

// rawManifest is a manifest whose bytes are what they are.
type rawManifest struct {
	raw  []byte
	kind types.MediaType
}

var _ remote.Taggable = rawManifest{}

// RawManifest implements remote.Taggable.
func (m rawManifest) RawManifest() ([]byte, error) { return m.raw, nil }

// MediaType names the kind of manifest to the registry.
func (m rawManifest) MediaType() (types.MediaType, error) { return m.kind, nil }

// whyNot is explain, unless a person has stopped the work.
func (c *Client) whyNot(ctx context.Context, doing string, r name.Reference, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.explain(doing, r, err)
}

// missing tells the answer that there is no such thing from all others.
func missing(err error) bool {
	var te *transport.Error
	return errors.As(err, &te) && te.StatusCode == http.StatusNotFound
}
