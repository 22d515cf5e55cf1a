package buildkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"slipway/pipeline"
)

var now = time.Now

// layoutSink exports an image as an OCI layout directory (image-spec, image-layout.md). It
// is made beside its place and swapped in whole.
type layoutSink struct {
	final, tmp string
	plan       *pipeline.Plan
	stamp      func([]byte) ([]byte, error)
}

func openLayout(opt *client.SolveOpt, s *scratch, final string, plan *pipeline.Plan, stamp func([]byte) ([]byte, error)) (*layoutSink, error) {
	tmp, err := os.MkdirTemp(s.dir, "oci-*")
	if err != nil {
		return nil, fmt.Errorf("making room for the image of %s: %w", plan.Service, err)
	}
	l := &layoutSink{final: final, tmp: tmp, plan: plan, stamp: stamp}
	l.reuseBlobs()
	store, err := contentlocal.NewStore(tmp)
	if err != nil {
		return nil, fmt.Errorf("making room for the image of %s: %w", plan.Service, err)
	}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterOCI, OutputStore: store, Attrs: map[string]string{
		"tar": "false", "compression": "uncompressed", // a base image's layers stay as they are; see packLayer
	}}}
	return l, nil
}

// reuseBlobs links the blobs of the layout that is there: what has not changed is then not
// sent again.
func (l *layoutSink) reuseBlobs() {
	from, to := filepath.Join(l.final, "blobs/sha256"), filepath.Join(l.tmp, "blobs/sha256")
	entries, err := os.ReadDir(from)
	if err != nil || os.MkdirAll(to, 0o755) != nil {
		return
	}
	for _, e := range entries {
		_ = os.Link(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())) // not linked is sent
	}
}

// config leaves the config as it is: it is stamped when the layers are known.
func (l *layoutSink) config(c []byte) ([]byte, error) { return c, nil }

func (l *layoutSink) blob(d digest.Digest) string {
	return filepath.Join(l.tmp, "blobs", d.Algorithm().String(), d.Encoded())
}

// finish stamps the image, writes the layout's index and swaps the layout in.
func (l *layoutSink) finish(resp map[string]string) (string, error) {
	exported, err := digest.Parse(resp["containerimage.digest"])
	if err != nil {
		return "", fmt.Errorf("BuildKit did not name the image that it built: %w", err)
	}
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
	if config, err = l.stamp(config); err != nil {
		return "", err
	}
	if manifest.Config, err = l.writeBlob(manifest.Config.MediaType, config); err != nil {
		return "", err
	}
	manifest.Annotations = map[string]string{}
	for _, s := range l.plan.Steps {
		if s.Build != nil && !s.Build.Check {
			for _, label := range s.Build.Labels {
				manifest.Annotations[label.Name] = label.Value
			}
		}
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return "", err
	}
	desc, err := l.writeBlob(manifest.MediaType, raw)
	if err != nil {
		return "", err
	}
	keep := map[string]bool{desc.Digest.Encoded(): true, manifest.Config.Digest.Encoded(): true}
	for _, layer := range manifest.Layers {
		keep[layer.Digest.Encoded()] = true
	}
	if err := l.writeIndex(desc, keep); err != nil {
		return "", err
	}
	return desc.Digest.String(), l.swap()
}

// packLayers compresses the manifest's layers that BuildKit just made, and names their
// tars in the config.
func (l *layoutSink) packLayers(manifest *v1.Manifest, config []byte) ([]byte, error) {
	img := map[string]json.RawMessage{}
	var rootfs v1.RootFS
	if err := json.Unmarshal(config, &img); err != nil {
		return nil, fmt.Errorf("the image config is no JSON object: %w", err)
	}
	if err := json.Unmarshal(img["rootfs"], &rootfs); err != nil || len(rootfs.DiffIDs) != len(manifest.Layers) {
		return nil, fmt.Errorf("the image config lists %d layers and the manifest %d (%w)", len(rootfs.DiffIDs), len(manifest.Layers), err)
	}
	for i, layer := range manifest.Layers {
		if layer.MediaType != v1.MediaTypeImageLayer && layer.MediaType != images.MediaTypeDockerSchema2Layer {
			continue
		}
		tmp := filepath.Join(l.tmp, fmt.Sprintf("layer-%d", i))
		p, err := packLayer(l.blob(layer.Digest), tmp)
		if err != nil {
			return nil, err
		}
		if layer.MediaType == images.MediaTypeDockerSchema2Layer {
			p.blob.MediaType = images.MediaTypeDockerSchema2LayerGzip
		}
		if err := os.Rename(tmp, l.blob(p.blob.Digest)); err != nil {
			return nil, err
		}
		manifest.Layers[i], rootfs.DiffIDs[i] = p.blob, p.diffID
	}
	img["rootfs"] = mustJSON(rootfs)
	return json.Marshal(img)
}

func (l *layoutSink) readBlob(d digest.Digest, into any) error {
	raw, err := os.ReadFile(l.blob(d))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (l *layoutSink) writeBlob(mediaType string, raw []byte) (v1.Descriptor, error) {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
	if old, err := os.ReadFile(l.blob(d.Digest)); err == nil && bytes.Equal(old, raw) {
		return d, nil
	}
	return d, writeFile(l.tmp, l.blob(d.Digest), raw, 0o644)
}

// writeIndex completes the layout and drops what the image does not use.
func (l *layoutSink) writeIndex(image v1.Descriptor, keep map[string]bool) error {
	image.Annotations = map[string]string{v1.AnnotationRefName: l.plan.Tag}
	index, err := json.Marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{image}})
	if err != nil {
		return err
	}
	mark, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(l.tmp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != "blobs" {
			removeAll(filepath.Join(l.tmp, e.Name()))
		}
	}
	blobs, err := os.ReadDir(filepath.Join(l.tmp, "blobs/sha256"))
	if err != nil {
		return err
	}
	for _, e := range blobs {
		if !keep[e.Name()] {
			removeAll(filepath.Join(l.tmp, "blobs/sha256", e.Name()))
		}
	}
	if err := writeFile(l.tmp, filepath.Join(l.tmp, v1.ImageLayoutFile), mark, 0o644); err != nil {
		return err
	}
	return writeFile(l.tmp, filepath.Join(l.tmp, v1.ImageIndexFile), index, 0o644)
}

// swap puts the new layout in the old one's place.
func (l *layoutSink) swap() error {
	if err := os.Chmod(l.tmp, 0o755); err != nil {
		return err
	}
	err := os.Rename(l.tmp, l.final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		err = unix.Renameat2(unix.AT_FDCWD, l.tmp, unix.AT_FDCWD, l.final, unix.RENAME_EXCHANGE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a filesystem that cannot exchange
			removeAll(l.final)
			err = os.Rename(l.tmp, l.final)
		}
	}
	if err != nil {
		return fmt.Errorf("putting the image into %s: %w", l.final, err)
	}
	return nil
}
