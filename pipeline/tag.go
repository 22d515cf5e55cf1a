package pipeline

import (
	"fmt"
	"regexp"
	"time"
)

// Tag names a service's content by the commit that last changed it.
type Tag struct {
	Commit string    // 40 hex digits
	Time   time.Time // of that commit, UTC
	Dirty  bool      // inputs have uncommitted changes
}

// DirtySuffix marks a tag whose content is in no commit.
const DirtySuffix = "-dirty"

// String is the tag as images have it: "20240725_4605cc6e", the committer's date in UTC
// and the first 8 digits of the commit.
func (t Tag) String() string {
	s := t.Time.UTC().Format("20060102") + "_" + t.Commit[:8]
	if t.Dirty {
		s += DirtySuffix
	}
	return s
}

var commitHash = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

// Commit is one commit of the history as tags need it.
type Commit struct {
	Hash    string
	Parents []Parent
	// Cut says that the commit's parents are not here: a shallow clone ends with it.
	Cut bool
}

// Parent is a commit's parent and the paths that differ from it.
type Parent struct {
	Hash    string
	Changed []string
}

// History finds, for several services at once, the commit that last changed each one's
// inputs. Commits are fed from HEAD on, children before parents (git log --topo-order).
// It follows git's own simplification: at a commit that is equal to one of its parents in
// the inputs, only that parent's side is looked at, so that a merge which brings nothing
// new keeps the tag that the branch had.
type History struct {
	open map[string][]*search // next commit → those that wait for it
	left int
}

type search struct {
	inputs *Inputs
	tag    *Tag
	cut    *bool
}

// NewHistory starts at head.
func NewHistory(head string) *History {
	h := &History{open: map[string][]*search{}}
	h.open[head] = nil
	return h
}

// Find asks for the tag of inputs. tag and cut are set when the search ends; cut says
// that the history here was too short to know, and tag is then the last commit seen.
// The tag's Time is not set: history knows hashes only.
func (h *History) Find(head string, inputs *Inputs, tag *Tag, cut *bool) {
	h.open[head] = append(h.open[head], &search{inputs, tag, cut})
	h.left++
}

// Done reports whether all searches have ended.
func (h *History) Done() bool { return h.left == 0 }

// Feed takes the next commit.
func (h *History) Feed(c Commit) error {
	if !commitHash.MatchString(c.Hash) {
		return fmt.Errorf("reading git's history: %q is no commit", c.Hash)
	}
	waiting := h.open[c.Hash]
	delete(h.open, c.Hash)
	for _, s := range waiting {
		*s.tag = Tag{Commit: c.Hash}
		if next, same := s.unchanged(c); same {
			h.open[next] = append(h.open[next], s)
			continue
		}
		*s.cut = c.Cut
		h.left--
	}
	return nil
}

// unchanged finds a parent that has the same inputs.
func (s *search) unchanged(c Commit) (string, bool) {
	for _, p := range c.Parents {
		same := true
		for _, f := range p.Changed {
			if s.inputs.Match(f) {
				same = false
				break
			}
		}
		if same {
			return p.Hash, true
		}
	}
	return "", false
}
