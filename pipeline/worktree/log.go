package worktree

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"

	"slipway/pipeline"
)

// header is a commit's line: its hash, its parents', and the parent that the files after
// it differ from (absent where there is one at most, or none differs).
var header = regexp.MustCompile(`^([0-9a-f]{40,64})((?: [0-9a-f]{40,64})*)(?: \(from ([0-9a-f]{40,64})\))?(?: |$)`)

// readLog parses `git log --raw -z` into commits. Records end with NUL. A changed file is
// two of them, its modes and hashes, which start with a colon, and its path: so no file's
// name is ever taken for a commit's line.
func (w *Worktree) readLog(r *bufio.Reader, cut map[string]bool, h *pipeline.History) error {
	var c *pipeline.Commit
	var into *pipeline.Parent
	feed := func() error {
		if c == nil {
			return nil
		}
		return h.Feed(*c)
	}
	for !h.Done() {
		record, err := r.ReadString(0)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if record == "" { // the end
			return feed()
		}
		record = strings.TrimSuffix(record, "\x00")
		if strings.HasPrefix(record, ":") {
			file, err := r.ReadString(0)
			if err != nil {
				return err
			}
			if into != nil {
				into.Changed = append(into.Changed, w.changes(record, strings.TrimSuffix(file, "\x00"))...)
			}
			continue
		}
		m := header.FindStringSubmatch(record)
		if m == nil {
			continue
		}
		if c == nil || m[1] != c.Hash {
			if err := feed(); err != nil {
				return err
			}
			c = &pipeline.Commit{Hash: m[1], Cut: cut[m[1]]}
			for _, p := range strings.Fields(m[2]) {
				c.Parents = append(c.Parents, pipeline.Parent{Hash: p})
			}
		}
		into = nil
		for i := range c.Parents {
			if len(c.Parents) == 1 || c.Parents[i].Hash == m[3] {
				into = &c.Parents[i]
			}
		}
	}
	return nil
}

// changes are those of the files that a change of one path is about: all of a submodule's,
// where git names the submodule's directory alone. raw is git's ":MODE MODE BLOB BLOB STATUS",
// first what was and then what is.
func (w *Worktree) changes(raw, p string) []pipeline.Change {
	was := pipeline.Unknown
	if f := strings.Fields(raw); len(f) > 3 && f[0] != ":"+submodule {
		was = blobName(f[2])
	}
	return w.expand(p, was)
}

// submodule is the mode that git gives one.
const submodule = "160000"

// blobName is "" for what git writes where there is no file.
func blobName(hash string) string {
	if strings.Trim(hash, "0") == "" {
		return ""
	}
	return hash
}

func (w *Worktree) expand(p, was string) []pipeline.Change {
	out := []pipeline.Change{{Path: p, Was: was}}
	for _, f := range w.Tree.Below(strings.TrimSuffix(p, "/")) {
		out = append(out, pipeline.Change{Path: f, Was: pipeline.Unknown})
	}
	return out
}
