package toolchain

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/flate"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// build brings the parts, writes the layout beside dir and moves it there. The lock is held.
func build(ctx context.Context, cache, dir, version string, o Options) error {
	var busybox entry
	var applets []string
	var module downloaded
	parts, partsCtx := errgroup.WithContext(ctx)
	parts.Go(func() (err error) {
		busybox, applets, err = findBusybox(partsCtx, o.CacheDir, o.Arch, o.Report)
		return err
	})
	parts.Go(func() (err error) {
		module, err = download(partsCtx, version, o.Arch, o.Report)
		return err
	})
	if err := parts.Wait(); err != nil {
		return err
	}

	task := o.Report.Start("making the image of Go " + version + " (once)")
	task.Log("checksum of golang.org/toolchain@" + moduleVersion(version, o.Arch) + ": " + module.Sum)
	err := assemble(ctx, cache, dir, version, o.Arch, module.Zip, baseEntries(busybox, applets), task.Amount)
	task.Done(err)
	return err
}

// assemble writes the layout from the toolchain's zip and the base layer's entries. Layers are
// not compressed: with zstd, the fastest, making and unpacking the image takes a second longer
// on two cores, and copying 170 MB on the same machine takes far less.
func assemble(ctx context.Context, cache, dir, version, arch, zipFile string, base []entry, amount func(string, int64, int64)) error {
	archive, err := zip.OpenReader(zipFile)
	if err != nil {
		return fmt.Errorf("opening the toolchain's zip: %w; `go clean -modcache` lets it be downloaded again", err)
	}
	defer func() { _ = archive.Close() }()
	archive.RegisterDecompressor(zip.Deflate, flate.NewReader) // a third faster than the standard library's
	toolchain, err := goEntries(&archive.Reader, version, arch)
	if err != nil {
		return err
	}
	tmp, err := scratch(cache)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	out := layout{tmp}
	var layers []v1.Descriptor
	for _, entries := range [][]entry{base, toolchain} {
		layer, err := out.add(v1.MediaTypeImageLayer, func(w io.Writer) error {
			buffered := bufio.NewWriterSize(&metered{ctx: ctx, w: w, amount: amount, total: totalSize(entries)}, 1<<20)
			if err := writeLayer(buffered, entries); err != nil {
				return err
			}
			return buffered.Flush()
		})
		if err != nil {
			return fmt.Errorf("writing a layer: %w", err)
		}
		layers = append(layers, layer)
	}
	if err := out.finish(imageConfig(arch), layers); err != nil {
		return fmt.Errorf("writing the image layout: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil { // a damaged one
		return fmt.Errorf("removing a damaged image: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("putting the image in place: %w", err)
	}
	return nil
}

func imageConfig(arch string) v1.Image {
	return v1.Image{
		Platform: v1.Platform{OS: "linux", Architecture: arch},
		Config: v1.ImageConfig{
			Env: []string{
				"PATH=/usr/local/go/bin:/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"GOTOOLCHAIN=local",
				"GOPATH=/go",
				"CGO_ENABLED=0",
				"HOME=/root",
			},
			WorkingDir: "/src",
		},
	}
}

// metered reports the bytes that pass, and stops when its context does.
type metered struct {
	ctx         context.Context
	w           io.Writer
	amount      func(unit string, current, total int64)
	done, total int64
}

func (m *metered) Write(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.w.Write(p)
	m.done += int64(n)
	m.amount("bytes", min(m.done, m.total), m.total)
	return n, err
}

func totalSize(entries []entry) (total int64) {
	for _, e := range entries {
		total += e.size
	}
	return total
}
