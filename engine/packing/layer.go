package packing

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// packed is a layer as an image carries it.
type packed struct {
	blob   v1.Descriptor
	diffID digest.Digest // of the layer's tar
}

// packLayer compresses a layer's tar (zipped says that an engine has done so), setting every time to Epoch: the directories that a
// COPY made on its way have the engine's clock in them. BuildKit can do the same
// (rewrite-timestamp), but compresses each layer twice for it and at each export anew.
func packLayer(from, to string, zipped bool) (packed, error) {
	file, err := os.Open(from)
	if err != nil {
		return packed{}, err
	}
	defer func() { _ = file.Close() }()
	var in io.Reader = bufio.NewReaderSize(file, 1<<20)
	if zipped {
		if in, err = gzip.NewReader(in); err != nil {
			return packed{}, fmt.Errorf("reading a layer: %w", err)
		}
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return packed{}, err
	}
	defer func() { _ = out.Close() }()

	compressed, plain, size := sha256.New(), sha256.New(), &counter{}
	buffered := bufio.NewWriterSize(out, 1<<20)
	zip := gzip.NewWriter(io.MultiWriter(buffered, compressed, size))
	if err := retime(in, io.MultiWriter(zip, plain)); err != nil {
		return packed{}, fmt.Errorf("reading a layer: %w", err)
	}
	if err := errors.Join(zip.Close(), buffered.Flush(), out.Close()); err != nil {
		return packed{}, fmt.Errorf("compressing a layer: %w", err)
	}
	return packed{
		blob:   v1.Descriptor{MediaType: v1.MediaTypeImageLayerGzip, Digest: digest.NewDigest(digest.SHA256, compressed), Size: size.n},
		diffID: digest.NewDigest(digest.SHA256, plain),
	}, nil
}

// retime copies a tar with all times set to Epoch.
func retime(in io.Reader, out io.Writer) error {
	r, w := tar.NewReader(in), tar.NewWriter(out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
		h.ModTime, h.AccessTime, h.ChangeTime = Epoch, time.Time{}, time.Time{}
		for _, record := range []string{"mtime", "atime", "ctime"} {
			delete(h.PAXRecords, record)
		}
		h.Format = tar.FormatUnknown // the writer takes the simplest that can hold the entry
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(w, r); err != nil {
			return err
		}
	}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
