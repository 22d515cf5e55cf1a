package toolchain

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// layout writes an OCI image layout into a directory.
type layout struct{ dir string }

func (l layout) blobs() string { return filepath.Join(l.dir, v1.ImageBlobsDir, "sha256") }

func (l layout) blob(d digest.Digest) string { return filepath.Join(l.blobs(), d.Encoded()) }

// add writes one blob and returns its descriptor.
func (l layout) add(mediaType string, write func(io.Writer) error) (v1.Descriptor, error) {
	if err := os.MkdirAll(l.blobs(), 0o755); err != nil {
		return v1.Descriptor{}, err
	}
	f, err := os.CreateTemp(l.blobs(), ".new-")
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer func() { _ = f.Close() }()
	hash := digest.SHA256.Digester()
	if err := write(io.MultiWriter(f, hash.Hash())); err != nil {
		return v1.Descriptor{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if err := f.Chmod(0o644); err != nil {
		return v1.Descriptor{}, err
	}
	if err := f.Close(); err != nil {
		return v1.Descriptor{}, err
	}
	d := hash.Digest()
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: size}, os.Rename(f.Name(), l.blob(d))
}

func (l layout) addJSON(mediaType string, value any) (v1.Descriptor, error) {
	return l.add(mediaType, func(w io.Writer) error { return json.NewEncoder(w).Encode(value) })
}

// finish adds the config and the manifest of uncompressed layers, and the index that makes
// the directory a layout.
func (l layout) finish(config v1.Image, layers []v1.Descriptor) error {
	config.RootFS.Type = "layers"
	for _, layer := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.Digest)
	}
	configBlob, err := l.addJSON(v1.MediaTypeImageConfig, config)
	if err != nil {
		return err
	}
	versioned := specs.Versioned{SchemaVersion: 2}
	manifest, err := l.addJSON(v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: versioned, MediaType: v1.MediaTypeImageManifest, Config: configBlob, Layers: layers,
	})
	if err != nil {
		return err
	}
	manifest.Platform = &config.Platform
	index, err := json.Marshal(v1.Index{
		Versioned: versioned, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{manifest},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.dir, v1.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.dir, v1.ImageIndexFile), index, 0o644)
}

// read returns the one manifest of a layout and its digest. It finds a layout that is damaged: the
// small blobs are hashed; of the layers, which would take a second, only the size is compared.
// (An engine checks a layer's digest when it takes it over.)
func (l layout) read() (digest.Digest, v1.Manifest, error) {
	var index v1.Index
	content, err := os.ReadFile(filepath.Join(l.dir, v1.ImageIndexFile))
	if err != nil {
		return "", v1.Manifest{}, err
	}
	if err := json.Unmarshal(content, &index); err != nil {
		return "", v1.Manifest{}, fmt.Errorf("%s: %w", v1.ImageIndexFile, err)
	}
	if _, err := os.Stat(filepath.Join(l.dir, v1.ImageLayoutFile)); err != nil {
		return "", v1.Manifest{}, err
	}
	if len(index.Manifests) != 1 {
		return "", v1.Manifest{}, fmt.Errorf("%s names %d manifests, not one", v1.ImageIndexFile, len(index.Manifests))
	}
	manifestDigest := index.Manifests[0].Digest
	var manifest v1.Manifest
	if err := l.readJSON(manifestDigest, &manifest); err != nil {
		return "", v1.Manifest{}, err
	}
	var config v1.Image
	if err := l.readJSON(manifest.Config.Digest, &config); err != nil {
		return "", v1.Manifest{}, err
	}
	for _, layer := range manifest.Layers {
		if err := layer.Digest.Validate(); err != nil {
			return "", v1.Manifest{}, err
		}
		info, err := os.Stat(l.blob(layer.Digest))
		if err != nil {
			return "", v1.Manifest{}, err
		}
		if info.Size() != layer.Size {
			return "", v1.Manifest{}, fmt.Errorf("layer %s has %d bytes instead of %d", layer.Digest, info.Size(), layer.Size)
		}
	}
	return manifestDigest, manifest, nil
}

func (l layout) readJSON(d digest.Digest, value any) error {
	if err := d.Validate(); err != nil {
		return err
	}
	content, err := os.ReadFile(l.blob(d))
	if err != nil {
		return err
	}
	if digest.FromBytes(content) != d {
		return fmt.Errorf("blob %s is damaged", d)
	}
	return json.Unmarshal(content, value)
}
