package toolchain

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// RootFS returns a plain directory with the image's tree, for engines that do not take an
// image layout. It is made when first asked for, and shared: do not write to it.
func (i *Image) RootFS(ctx context.Context) (string, error) {
	if info, err := os.Stat(i.rootFS); err == nil && info.IsDir() {
		return i.rootFS, nil
	}
	unlock, err := locked(ctx, i.lock)
	if err != nil {
		return "", fmt.Errorf("unpacking the image of Go %s: waiting for another command: %w", i.Go, err)
	}
	defer unlock()
	if info, err := os.Stat(i.rootFS); err == nil && info.IsDir() {
		return i.rootFS, nil
	}
	if err := i.unpack(ctx); err != nil {
		return "", fmt.Errorf("unpacking the image of Go %s into %s: %w", i.Go, i.rootFS, err)
	}
	return i.rootFS, nil
}

func (i *Image) unpack(ctx context.Context) error {
	from := layout{i.Dir}
	_, manifest, err := from.read()
	if err != nil {
		return fmt.Errorf("the image is damaged: %w; run again to have it made anew", err)
	}
	tmp, err := scratch(filepath.Dir(i.rootFS))
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, layer := range manifest.Layers {
		if err := unpackLayer(ctx, root, from.blob(layer.Digest)); err != nil {
			return err
		}
	}
	return os.Rename(tmp, i.rootFS)
}

// unpackLayer writes what writeLayer can hold: directories, files, symbolic links.
func unpackLayer(ctx context.Context, root *os.Root, blob string) error {
	f, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	archive := tar.NewReader(f)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := unpackEntry(root, header, archive); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, header *tar.Header, content io.Reader) error {
	name, mode := filepath.Clean(header.Name), header.FileInfo().Mode()
	switch header.Typeflag {
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeDir:
		if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return root.Chmod(name, mode&(fs.ModePerm|fs.ModeSticky)) // Mkdir's is subject to the umask
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm())
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if _, err := io.Copy(f, content); err != nil {
			return err
		}
		if err := f.Chmod(mode.Perm()); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return root.Chtimes(name, header.ModTime, header.ModTime)
	default:
		return fmt.Errorf("unexpected kind of entry %q", header.Typeflag)
	}
}
