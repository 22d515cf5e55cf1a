package packing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"slipway/engine/scratch"
	"slipway/pipeline"
)

// Layout is an image as an OCI layout directory (image-spec, image-layout.md). An engine
// writes it into Tmp; it is finished there and swapped in whole.
type Layout struct {
	Tmp, Final string
	Plan       *pipeline.Plan
	// Own says which layers this build made: the others, a base image's, stay as they are.
	Own func(i int, layer v1.Descriptor) bool
	// Stamp puts the plan's version into the image's config.
	Stamp func(config []byte) ([]byte, error)
}

// New makes room for a layout that will be at final.
func New(s *scratch.Dir, final string, plan *pipeline.Plan) (*Layout, error) {
	tmp, err := os.MkdirTemp(s.Path, "oci-*")
	if err != nil {
		return nil, fmt.Errorf("making room for the image of %s: %w", plan.Service, err)
	}
	return &Layout{Tmp: tmp, Final: final, Plan: plan}, nil
}

func (l *Layout) blob(d digest.Digest) string {
	return filepath.Join(l.Tmp, "blobs", d.Algorithm().String(), d.Encoded())
}

// Finish stamps the image, writes the layout's index and swaps the layout in.
func (l *Layout) Finish(exported digest.Digest) (string, error) {
	var manifest v1.Manifest
	if err := l.readBlob(exported, &manifest); err != nil {
		return "", err
	}
	config, err := os.ReadFile(l.blob(manifest.Config.Digest))
	if err != nil {
		return "", err
	}
	if config, err = l.packLayers(&manifest, config); err != nil {
		return "", err
	}
	unstamped, err := l.writeBlob(manifest.Config.MediaType, config)
	if err != nil {
		return "", err
	}
	if config, err = l.Stamp(config); err != nil {
		return "", err
	}
	if manifest.Config, err = l.writeBlob(manifest.Config.MediaType, config); err != nil {
		return "", err
	}
	annotate(&manifest, l.Plan)
	raw, err := json.Marshal(manifest)
	if err != nil {
		return "", err
	}
	desc, err := l.writeBlob(manifest.MediaType, raw)
	if err != nil {
		return "", err
	}
	keep := map[string]bool{desc.Digest.Encoded(): true, manifest.Config.Digest.Encoded(): true, unstamped.Digest.Encoded(): true}
	for _, layer := range manifest.Layers {
		keep[layer.Digest.Encoded()] = true
	}
	if err := l.writeIndex(desc, unstamped.Digest, keep); err != nil {
		return "", err
	}
	return desc.Digest.String(), l.swap()
}

// packLayers compresses the manifest's layers that this build made, and names their
// tars in the config.
func (l *Layout) packLayers(manifest *v1.Manifest, config []byte) ([]byte, error) {
	img := map[string]json.RawMessage{}
	var rootfs v1.RootFS
	if err := json.Unmarshal(config, &img); err != nil {
		return nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	if err := json.Unmarshal(img["rootfs"], &rootfs); err != nil || len(rootfs.DiffIDs) != len(manifest.Layers) {
		return nil, fmt.Errorf("the image config lists %d layers and the manifest %d (%w)", len(rootfs.DiffIDs), len(manifest.Layers), err)
	}
	for i, layer := range manifest.Layers {
		if !l.Own(i, layer) {
			continue
		}
		tmp := filepath.Join(l.Tmp, fmt.Sprintf("layer-%d", i))
		p, err := packLayer(l.blob(layer.Digest), tmp, strings.Contains(layer.MediaType, "gzip"))
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(layer.MediaType, dockerLayer) {
			p.blob.MediaType = dockerLayer + ".gzip"
		}
		if err := os.Rename(tmp, l.blob(p.blob.Digest)); err != nil {
			return nil, err
		}
		manifest.Layers[i], rootfs.DiffIDs[i] = p.blob, p.diffID
	}
	img["rootfs"] = mustJSON(rootfs)
	return json.Marshal(img)
}

func (l *Layout) readBlob(d digest.Digest, into any) error {
	raw, err := os.ReadFile(l.blob(d))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (l *Layout) writeBlob(mediaType string, raw []byte) (v1.Descriptor, error) {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
	if old, err := os.ReadFile(l.blob(d.Digest)); err == nil && bytes.Equal(old, raw) {
		return d, nil
	}
	return d, scratch.WriteFile(l.Tmp, l.blob(d.Digest), raw, 0o644)
}

// writeIndex completes the layout and drops what the image does not use.
func (l *Layout) writeIndex(image v1.Descriptor, unstamped digest.Digest, keep map[string]bool) error {
	image.Annotations = map[string]string{v1.AnnotationRefName: l.Plan.Tag, unstampedKey: unstamped.String()}
	index, err := json.Marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{image}})
	if err != nil {
		return err
	}
	mark, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(l.Tmp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "blobs" {
			remove(filepath.Join(l.Tmp, e.Name()))
		}
	}
	blobs, err := os.ReadDir(filepath.Join(l.Tmp, "blobs/sha256"))
	if err != nil {
		return err
	}
	for _, e := range blobs {
		if !keep[e.Name()] {
			remove(filepath.Join(l.Tmp, "blobs/sha256", e.Name()))
		}
	}
	if err := scratch.WriteFile(l.Tmp, filepath.Join(l.Tmp, v1.ImageLayoutFile), mark, 0o644); err != nil {
		return err
	}
	return scratch.WriteFile(l.Tmp, filepath.Join(l.Tmp, v1.ImageIndexFile), index, 0o644)
}

// swap puts the new layout in the old one's place.
func (l *Layout) swap() error {
	if err := os.Chmod(l.Tmp, 0o755); err != nil {
		return err
	}
	err := os.Rename(l.Tmp, l.Final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		err = unix.Renameat2(unix.AT_FDCWD, l.Tmp, unix.AT_FDCWD, l.Final, unix.RENAME_EXCHANGE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a filesystem that cannot exchange
			remove(l.Final)
			err = os.Rename(l.Tmp, l.Final)
		}
	}
	if err != nil {
		return fmt.Errorf("putting the image into %s: %w", l.Final, err)
	}
	return nil
}

// dockerLayer is a layer in Docker's own manifest format (distribution, manifest-v2-2.md).
const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

// remove removes what this process made; an error would hide the one that matters.
func remove(dir string) { _ = os.RemoveAll(dir) }
