package pipeline

import (
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Tree is a working tree as git sees it: the files that are tracked, and those that are
// neither tracked nor ignored. What git ignores is no part of any service, or two clones
// of one commit would differ.
type Tree struct {
	// FS is rooted at the repository.
	FS fs.FS
	// Files are slash-separated paths below the root, sorted; no directories.
	Files []string

	dirs map[string][]string // directory → its files' and directories' names, sorted
	set  map[string]bool     // the files
	memo memo
}

// NewTree indexes the files of a working tree.
func NewTree(fsys fs.FS, files []string) *Tree {
	t := &Tree{FS: fsys, Files: append([]string(nil), files...), dirs: map[string][]string{}, set: map[string]bool{}}
	sort.Strings(t.Files)
	for _, f := range t.Files {
		t.set[f] = true
		for p := f; p != "."; {
			dir, name := path.Dir(p), path.Base(p)
			known := len(t.dirs[dir]) > 0
			if n := len(t.dirs[dir]); n == 0 || t.dirs[dir][n-1] != name {
				t.dirs[dir] = append(t.dirs[dir], name)
			}
			if known {
				break
			}
			p = dir
		}
	}
	for _, names := range t.dirs {
		sort.Strings(names) // by whole path "a-b/x" sorts before "a/x"
	}
	return t
}

// Has reports whether the file is in the tree.
func (t *Tree) Has(file string) bool { return t.set[file] }

// IsDir reports whether the tree has files below the directory.
func (t *Tree) IsDir(dir string) bool { return len(t.dirs[dir]) > 0 }

// List returns the names of a directory's entries.
func (t *Tree) List(dir string) []string { return t.dirs[dir] }

// Below returns the files below a directory ("." is the root), sorted.
func (t *Tree) Below(dir string) []string {
	if dir == "." {
		return t.Files
	}
	prefix := dir + "/"
	from := sort.SearchStrings(t.Files, prefix)
	to := from
	for to < len(t.Files) && strings.HasPrefix(t.Files[to], prefix) {
		to++
	}
	return t.Files[from:to]
}

// Read returns a file's content.
func (t *Tree) Read(file string) ([]byte, error) { return fs.ReadFile(t.FS, file) }

// up returns dir and the directories above it, ending with ".".
func up(dir string) []string {
	out := []string{dir}
	for dir != "." {
		dir = path.Dir(dir)
		out = append(out, dir)
	}
	return out
}

// within reports whether the path p is dir or below it.
func within(dir, p string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

// rel returns p relative to dir; p is within dir.
func rel(dir, p string) string {
	if dir == "." {
		return p
	}
	if p == dir {
		return "."
	}
	return strings.TrimPrefix(p, dir+"/")
}

// Link returns where a symbolic link points; false where the file is none.
func (t *Tree) Link(file string) (string, bool) {
	l := remember(&t.memo, &t.memo.links, file, func() link {
		info, err := fs.Lstat(t.FS, file)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return link{}
		}
		target, err := fs.ReadLink(t.FS, file)
		return link{target, err == nil}
	})
	return l.to, l.is
}
