package pipeline

import (
	"fmt"
	"regexp"
	"slices"
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

// Parent is a commit's parent and the paths that differ from it, with what they were there.
type Parent struct {
	Hash    string
	Changed []Change
}

// History finds, for several services at once, the commit that last changed each one's
// inputs. Commits are fed from HEAD on, children before parents (git log --topo-order).
// It follows git's own simplification: at a commit that is equal to one of its parents in
// the inputs, only that parent's side is looked at, so that a merge which brings nothing
// new keeps the tag that the branch had.
type History struct {
	open     map[string][]*search // next commit → those that wait for it
	left     int
	versions versions
}

type search struct {
	inputs *Inputs
	at     map[string]string // contents of parts' files at this commit, where they differ from the tree's
	tag    *Tag
	cut    *bool
}

// NewHistory starts at head. blobs give the contents of earlier versions of files.
func NewHistory(head string, blobs Blobs) *History {
	h := &History{open: map[string][]*search{}, versions: versions{blobs: blobs}}
	h.open[head] = nil
	return h
}

// Find asks for the tag of inputs. tag and cut are set when the search ends; cut says
// that the history here was too short to know, and tag is then the last commit seen.
// The tag's Time is not set: history knows hashes only. uncommitted are what differs between
// head and the tree that the inputs were read from.
func (h *History) Find(head string, inputs *Inputs, uncommitted []Change, tag *Tag, cut *bool) {
	s := &search{inputs: inputs, tag: tag, cut: cut}
	if len(inputs.Parts) > 0 && len(uncommitted) > 0 {
		s.committed(&h.versions, uncommitted)
	}
	h.open[head] = append(h.open[head], s)
	h.left++
}

// committed takes the parts as they are at HEAD.
func (s *search) committed(v *versions, uncommitted []Change) {
	in := *s.inputs
	in.Parts = slices.Clone(in.Parts)
	s.pass(uncommitted)
	for i := range in.Parts {
		if p := &in.Parts[i]; slices.ContainsFunc(p.Files, func(f string) bool { _, ok := s.at[f]; return ok }) {
			p.value = v.value(&in, p, s.at)
		}
	}
	s.inputs = &in
}

// pass notes what parts' files were on the other side of changes.
func (s *search) pass(changes []Change) {
	for _, c := range changes {
		if !s.inputs.partial[c.Path] {
			continue
		}
		if s.at == nil {
			s.at = map[string]string{}
		}
		s.at[c.Path] = c.Was
	}
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
		if p := s.unchanged(&h.versions, c); p != nil {
			s.pass(p.Changed)
			h.open[p.Hash] = append(h.open[p.Hash], s)
			continue
		}
		*s.cut = c.Cut
		h.left--
	}
	return nil
}

// unchanged finds a parent that has the same inputs.
func (s *search) unchanged(v *versions, c Commit) *Parent {
	for i := range c.Parents {
		if p := &c.Parents[i]; len(v.causes(s.inputs, s.at, p.Changed, false)) == 0 {
			return p
		}
	}
	return nil
}
