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
				into.Changed = append(into.Changed, w.paths(strings.TrimSuffix(file, "\x00"))...)
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

// paths are the files that a change of one path is about: all of a submodule's, where git
// names the submodule's directory alone.
func (w *Worktree) paths(p string) []string {
	return append([]string{p}, w.Tree.Below(strings.TrimSuffix(p, "/"))...)
}
