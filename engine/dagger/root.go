package dagger

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	sdk "dagger.io/dagger"

	"slipway/engine/toolchain"
	"slipway/pipeline"
)

// root is the container that a step runs in, made once for all plans.
func (r *Runner) root(ctx context.Context, on pipeline.Root, platform string) (*sdk.Container, error) {
	r.rootMu.Lock()
	defer r.rootMu.Unlock()
	if ctr := r.roots[on]; ctr != nil {
		return ctr, nil
	}
	ctr, err := r.makeRoot(ctx, on, platform)
	if err != nil {
		return nil, err
	}
	r.roots[on] = ctr
	return ctr, nil
}

func (r *Runner) makeRoot(ctx context.Context, on pipeline.Root, platform string) (*sdk.Container, error) {
	empty := r.c.Container(sdk.ContainerOpts{Platform: sdk.Platform(platform)})
	if on.Image != "" {
		if err := r.login(ctx, on.Image); err != nil {
			return nil, err
		}
		ctr, err := empty.From(on.Image).Sync(ctx)
		if err != nil {
			return nil, fmt.Errorf("the toolchain image %s: %w", on.Image, noImage(err))
		}
		return ctr, nil
	}
	img, err := toolchain.Prepare(ctx, toolchain.Options{Go: on.Go, Arch: strings.TrimPrefix(platform, "linux/"), CacheDir: r.o.CacheDir, Report: r.o.Report})
	if err != nil {
		return nil, err
	}
	file := img.Dir + ".tar"
	if err := archive(img.Dir, file); err != nil {
		return nil, fmt.Errorf("packing the image of Go %s for Dagger: %w", on.Go, err)
	}
	ctr, err := empty.Import(r.c.Host().File(file)).Sync(ctx)
	if err != nil {
		return nil, fmt.Errorf("handing the image of Go %s to Dagger: %w", on.Go, err)
	}
	return ctr, nil
}

// archive makes the tar of an OCI layout, which is how Dagger takes one, where it is not there
// yet. A layout that was made anew is newer than the tar of the old one.
func archive(dir, to string) error {
	if packed, err := os.Stat(to); err == nil {
		index, err := os.Stat(filepath.Join(dir, "index.json"))
		if err != nil {
			return err
		}
		if !packed.ModTime().Before(index.ModTime()) {
			return nil
		}
	}
	out, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }()
	defer func() { _ = out.Close() }()
	w := tar.NewWriter(out)
	if err := addTree(w, dir); err != nil {
		return err
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

func addTree(w *tar.Writer, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		f, err := root.Open(rel)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o644, Size: info.Size()}); err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return err
	})
}
