package buildkit

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"slipway/engine/packing"
	"slipway/engine/scratch"
	"slipway/pipeline"
)

var now = time.Now

// layoutSink exports an image as an OCI layout directory.
type layoutSink struct{ *packing.Layout }

func openLayout(opt *client.SolveOpt, s *scratch.Dir, final string, plan *pipeline.Plan, stamp func([]byte) ([]byte, error)) (*layoutSink, error) {
	layout, err := packing.New(s, final, plan)
	if err != nil {
		return nil, err
	}
	layout.Stamp, layout.Own = stamp, uncompressed
	l := &layoutSink{layout}
	l.reuseBlobs()
	store, err := contentlocal.NewStore(l.Tmp)
	if err != nil {
		return nil, fmt.Errorf("making room for the image of %s: %w", plan.Service, err)
	}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterOCI, OutputStore: store, Attrs: map[string]string{
		"tar": "false", "compression": "uncompressed", // a base image's layers stay as they are; see packing
	}}}
	return l, nil
}

// uncompressed are the layers that BuildKit just made.
func uncompressed(_ int, layer v1.Descriptor) bool {
	return layer.MediaType == v1.MediaTypeImageLayer || layer.MediaType == images.MediaTypeDockerSchema2Layer
}

// reuseBlobs links the blobs of the layout that is there: what has not changed is then not
// sent again.
func (l *layoutSink) reuseBlobs() {
	from, to := filepath.Join(l.Final, "blobs/sha256"), filepath.Join(l.Tmp, "blobs/sha256")
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

// finish completes the layout and swaps it in.
func (l *layoutSink) finish(resp map[string]string) (string, error) {
	exported, err := digest.Parse(resp["containerimage.digest"])
	if err != nil {
		return "", fmt.Errorf("BuildKit did not name the image that it built: %w", err)
	}
	return l.Finish(exported)
}
