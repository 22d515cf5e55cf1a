package toolchain

import (
	"context"
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Store gives the layout as BuildKit's client wants it, in SolveOpt.OCIStores. It only reads.
//
// It is not containerd's local.NewStore because that one writes into the directory when it is
// opened, to probe the file system, and where there is no fs-verity warns on stderr each time.
func (i *Image) Store() content.Store { return store{layout{i.Dir}} }

type store struct{ layout layout }

var _ content.Store = store{}

func (s store) Info(_ context.Context, d digest.Digest) (content.Info, error) {
	if err := d.Validate(); err != nil {
		return content.Info{}, fmt.Errorf("%w: %w", err, errdefs.ErrInvalidArgument)
	}
	info, err := os.Stat(s.layout.blob(d))
	if err != nil {
		return content.Info{}, fmt.Errorf("blob %s: %w: %w", d, err, errdefs.ErrNotFound)
	}
	return content.Info{Digest: d, Size: info.Size(), CreatedAt: info.ModTime(), UpdatedAt: info.ModTime()}, nil
}

func (s store) ReaderAt(_ context.Context, desc v1.Descriptor) (content.ReaderAt, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, errdefs.ErrInvalidArgument)
	}
	return local.OpenReader(s.layout.blob(desc.Digest))
}

func (s store) Walk(ctx context.Context, fn content.WalkFunc, _ ...string) error {
	blobs, err := os.ReadDir(s.layout.blobs())
	if err != nil {
		return err
	}
	for _, blob := range blobs {
		info, err := s.Info(ctx, digest.NewDigestFromEncoded(digest.SHA256, blob.Name()))
		if err != nil {
			return err
		}
		if err := fn(info); err != nil {
			return err
		}
	}
	return nil
}

func (store) ListStatuses(context.Context, ...string) ([]content.Status, error) { return nil, nil }

func (store) Status(_ context.Context, ref string) (content.Status, error) {
	return content.Status{}, fmt.Errorf("ingest %s: %w", ref, errdefs.ErrNotFound)
}

var errReadOnly = fmt.Errorf("the toolchain's image is read-only: %w", errdefs.ErrNotImplemented)

func (store) Update(context.Context, content.Info, ...string) (content.Info, error) {
	return content.Info{}, errReadOnly
}
func (store) Delete(context.Context, digest.Digest) error { return errReadOnly }
func (store) Abort(context.Context, string) error         { return errReadOnly }
func (store) Writer(context.Context, ...content.WriterOpt) (content.Writer, error) {
	return nil, errReadOnly
}
