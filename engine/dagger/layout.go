package dagger

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/engine/packing"
)

// exportImage writes the image as an OCI layout and returns its manifest's digest.
func (b *build) exportImage(ctx context.Context, to string) (string, error) {
	file := filepath.Join(b.scratch.Path, "image.tar")
	if _, err := b.image.AsTarball().Export(ctx, file); err != nil {
		return "", err
	}
	layout, err := packing.New(b.scratch, to, b.plan)
	if err != nil {
		return "", err
	}
	root, err := unpack(file, layout.Tmp)
	if err != nil {
		return "", fmt.Errorf("reading what Dagger exported: %w", err)
	}
	config, err := imageConfig(layout.Tmp, root)
	if err != nil {
		return "", fmt.Errorf("reading what Dagger exported: %w", err)
	}
	layout.Own = func(i int, _ v1.Descriptor) bool { return !pulled(config.History, i) }
	layout.Stamp = func(config []byte) ([]byte, error) {
		config, err := plainHistory(config)
		if err != nil {
			return nil, err
		}
		if config, err = withoutArgs(config, b.dockerfile); err != nil {
			return nil, err
		}
		out, err := packing.Stamp(config, b.imageStep().Build, b.plan.Created)
		if err != nil {
			return nil, fmt.Errorf("writing the version of %s into its image's config: %w", b.plan.Service, err)
		}
		return out, nil
	}
	return layout.Finish(root)
}

// unpack writes the blobs of an OCI archive and returns the digest of its only image.
func unpack(file, to string) (digest.Digest, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	var index v1.Index
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		name := path.Clean(h.Name)
		switch {
		case name == v1.ImageIndexFile:
			if err := json.NewDecoder(r).Decode(&index); err != nil {
				return "", err
			}
		case h.Typeflag == tar.TypeReg && strings.HasPrefix(name, "blobs/sha256/"):
			d := digest.NewDigestFromEncoded(digest.SHA256, path.Base(name))
			if err := d.Validate(); err != nil {
				return "", err
			}
			blob := filepath.Join(to, "blobs", "sha256", d.Encoded())
			if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
				return "", err
			}
			if err := copyTo(blob, r, 0o644); err != nil {
				return "", err
			}
		}
	}
	if len(index.Manifests) != 1 {
		return "", fmt.Errorf("it has %d images, not one", len(index.Manifests))
	}
	return index.Manifests[0].Digest, nil
}

func imageConfig(layout string, image digest.Digest) (v1.Image, error) {
	var manifest v1.Manifest
	var config v1.Image
	if err := readBlob(layout, image, &manifest); err != nil {
		return config, err
	}
	return config, readBlob(layout, manifest.Config.Digest, &config)
}

func readBlob(layout string, d digest.Digest, into any) error {
	raw, err := os.ReadFile(filepath.Join(layout, "blobs", "sha256", d.Encoded()))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// pulled reports whether a layer is a base image's. Dagger keeps no image's own history and
// writes one entry a layer; that of a pulled one says where from.
func pulled(history []v1.History, layer int) bool {
	return layer < len(history) && strings.HasPrefix(history[layer].CreatedBy, "pulled from ")
}

// plainHistory leaves of Dagger's history one entry a layer: its texts and times are the
// engine's own and differ from one to the next.
func plainHistory(config []byte) ([]byte, error) {
	img := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &img); err != nil {
		return nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	var history []v1.History
	if err := json.Unmarshal(img["history"], &history); err != nil {
		return nil, fmt.Errorf("the image config's field history: %w", err)
	}
	for i, h := range history {
		history[i] = v1.History{Created: &packing.Epoch, CreatedBy: "dagger", EmptyLayer: h.EmptyLayer}
	}
	var err error
	if img["history"], err = json.Marshal(history); err != nil {
		return nil, err
	}
	return json.Marshal(img)
}
