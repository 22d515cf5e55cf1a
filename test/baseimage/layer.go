package baseimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// tarLayer is an uncompressed tar file as a layer: it is only ever moved within a machine,
// where compressing costs more than it saves. (tarball.LayerFromFile would gzip it.)
type tarLayer struct {
	path string
	hash v1.Hash
	size int64
}

var _ v1.Layer = (*tarLayer)(nil)

// pack writes a tree to the tar file out. tar is essential on Debian; the order and the times
// are fixed, so that the same content gives the same layer.
func pack(ctx context.Context, root, out string) error {
	cmd := exec.CommandContext(ctx, "tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-C", root, "-cf", out, ".")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("packing a base image: %w\n%s", err, output)
	}
	return nil
}

func layerFromTar(path string) (*tarLayer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return nil, err
	}
	return &tarLayer{path: path, size: size, hash: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}}, nil
}

func (l *tarLayer) Digest() (v1.Hash, error)             { return l.hash, nil }
func (l *tarLayer) DiffID() (v1.Hash, error)             { return l.hash, nil }
func (l *tarLayer) Size() (int64, error)                 { return l.size, nil }
func (l *tarLayer) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }
func (l *tarLayer) Compressed() (io.ReadCloser, error)   { return os.Open(l.path) }
func (l *tarLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.path) }
