package buildkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"slipway/engine/packing"
	"slipway/pipeline"
)

// sourceFS serves a plan's source to BuildKit: exactly its files, with modes that git
// knows and owned by root, so that two clones of a commit are the same source.
//
// A file's modification time is made of its content: BuildKit transfers a file only when
// its size or time differ from what it has, and `go test` trusts both for the files that
// a test opened. With a constant time both would miss an edit that keeps the size; with
// the disk's, two clones would differ.
type sourceFS struct {
	entries []entry
}

type entry struct {
	path string
	mode fs.FileMode
	size int64
	time int64  // nanoseconds
	link string // where a symbolic link points
	disk string // where the content is; "" for directories
}

func (e *entry) stat() *types.Stat {
	return &types.Stat{Path: e.path, Mode: uint32(e.mode), Size: e.size, ModTime: e.time, Linkname: e.link}
}

var _ fsutil.FS = (*sourceFS)(nil)

// newSource reads the source's files below root.
func newSource(root string, src *pipeline.Source) (*sourceFS, error) {
	s := &sourceFS{}
	dirs := map[string]bool{}
	add := func(e entry) {
		for d := path.Dir(e.path); d != "." && !dirs[d]; d = path.Dir(d) {
			dirs[d] = true
			s.entries = append(s.entries, entry{path: d, mode: fs.ModeDir | 0o755})
		}
		s.entries = append(s.entries, e)
	}
	dir := filepath.Join(root, filepath.FromSlash(src.Root))
	tree := pipeline.NewTree(os.DirFS(dir), src.Files)
	for _, f := range tree.Files {
		e, err := onDisk(tree, dir, f)
		if err != nil {
			return nil, err
		}
		add(e)
	}
	// fsutil wants each directory before what is in it, and names ordered within one.
	sort.Slice(s.entries, func(i, j int) bool { return before(s.entries[i].path, s.entries[j].path) })
	return s, nil
}

func before(a, b string) bool {
	return strings.ReplaceAll(a, "/", "\x00") < strings.ReplaceAll(b, "/", "\x00")
}

func onDisk(tree *pipeline.Tree, dir, name string) (entry, error) {
	hash, kind, err := tree.Sum(name)
	if err != nil {
		return entry{}, fmt.Errorf("reading a source file: %w", err)
	}
	e := entry{disk: filepath.Join(dir, filepath.FromSlash(name)), path: name, mode: 0o644, time: packing.ContentTime(hash).UnixNano()}
	switch kind {
	case "link":
		target, _ := tree.Link(name)
		e.mode, e.link, e.size = fs.ModeSymlink|0o777, target, int64(len(target))
		return e, nil
	case "exec":
		e.mode = 0o755
	}
	info, err := os.Stat(e.disk)
	if err != nil {
		return entry{}, fmt.Errorf("reading a source file: %w", err)
	}
	e.size = info.Size()
	return e, nil
}

func (s *sourceFS) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	target = strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(target)), "/")
	skip := "\x00" // a directory whose content fn does not want; no path has this prefix
	for i := range s.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &s.entries[i]
		if strings.HasPrefix(e.path, skip+"/") || target != "" && e.path != target && !strings.HasPrefix(e.path, target+"/") {
			continue
		}
		switch err := fn(e.path, &fsutil.DirEntryInfo{Stat: e.stat()}, nil); {
		case errors.Is(err, fs.SkipDir):
			skip = e.path
		case err != nil:
			return err
		}
	}
	return nil
}

func (s *sourceFS) Open(name string) (io.ReadCloser, error) {
	i := sort.Search(len(s.entries), func(i int) bool { return !before(s.entries[i].path, name) })
	if i == len(s.entries) || s.entries[i].path != name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return os.Open(s.entries[i].disk)
}
