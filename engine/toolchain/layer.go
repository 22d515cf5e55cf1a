package toolchain

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is one path of a layer: a file, a link where link is set, else a directory.
type entry struct {
	path string // relative, slashes, no trailing one: "usr/local/go/bin/go"
	mode int64  // permission bits, and 0o1000 for the sticky bit
	link string // symbolic link's target
	size int64
	open func() (io.ReadCloser, error) // nil: not a file
}

func directory(path string, mode int64) entry { return entry{path: path, mode: mode} }

func symlink(path, target string) entry { return entry{path: path, mode: 0o777, link: target} }

func file(path string, mode int64, content string) entry {
	return entry{path: path, mode: mode, size: int64(len(content)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// writeLayer writes the entries as a tar. Equal entries give equal bytes on every machine and
// day: sorted by path, owned by root, of the epoch. Directories that the entries need
// and do not name are added, 0755. It returns an error for two entries of one path.
func writeLayer(w io.Writer, entries []entry) error {
	entries = withParents(entries)
	archive := tar.NewWriter(w)
	for i, e := range entries {
		if i > 0 && entries[i-1].path == e.path {
			return fmt.Errorf("the path %s occurs twice in one layer", e.path)
		}
		if err := writeEntry(archive, e); err != nil {
			return fmt.Errorf("%s: %w", e.path, err)
		}
	}
	return archive.Close()
}

func withParents(entries []entry) []entry {
	entries = slices.Clone(entries)
	have := map[string]bool{".": true}
	for _, e := range entries {
		have[e.path] = true
	}
	for _, e := range entries {
		for dir := path.Dir(e.path); !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			entries = append(entries, directory(dir, 0o755))
		}
	}
	// A directory's path is a prefix of those in it, so it comes first.
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return entries
}

func writeEntry(archive *tar.Writer, e entry) error {
	header := &tar.Header{Name: e.path, Mode: e.mode, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	switch {
	case e.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
	case e.open == nil:
		header.Typeflag, header.Name = tar.TypeDir, e.path+"/"
	default:
		header.Typeflag, header.Size = tar.TypeReg, e.size
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if e.open == nil {
		return nil
	}
	content, err := e.open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	_, err = io.Copy(archive, content)
	return err
}
