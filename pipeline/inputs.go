package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
)

// Inputs is what a service's build depends on. Files count whole, of Parts only what is
// said there. The rules decide for any path, one that a commit deleted included, and one
// whose mere being there would decide otherwise (a Dockerfile of the service's own, a
// go.work above it): that is how history is read.
type Inputs struct {
	// Hash is over the files' paths, modes and contents, the parts, and all else that decides
	// what is built: the tools, the toolchain image, the build arguments, PlanVersion. It is
	// the same in every clone. Bases are not in it: see ReuseTag.
	Hash  string   `json:"hash"`
	Files []string `json:"files"`
	Parts []Part   `json:"parts,omitempty"`
	// Bases are images that the build starts from, as the Dockerfile and the settings name
	// them: what they hold is known only to who asks their registry.
	Bases []string `json:"bases,omitempty"`

	rules []rule
	tree  *Tree // nil for inputs that are rules alone
	// Indexes: Files, the files of Parts, and the directories whose sources build constraints
	// leave out or let in.
	set, partial, packages map[string]bool
}

// index completes inputs that have their rules and parts.
func (in *Inputs) index(t *Tree) {
	in.tree, in.Files = t, t.match(in.rules)
	in.set, in.partial, in.packages = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range in.Files {
		in.set[f] = true
	}
	for _, p := range in.Parts {
		for _, f := range p.Files {
			in.partial[f] = true
		}
	}
	for _, r := range in.rules {
		if c, ok := bare(r).(conditional); ok {
			for _, dir := range c.dirs(t) {
				in.packages[dir] = true
			}
		}
	}
}

// conditional is a rule for which a file's content decides.
type conditional interface {
	rule
	dirs(t *Tree) []string
	// compiles decides about a content of a file for which match says to ask.
	compiles(file string, data []byte) bool
}

func bare(r rule) rule {
	if k, ok := r.(kinded); ok {
		return k.rule
	}
	return r
}

// Match reports whether a file of that path is an input, or would be if it were there. Files
// of Parts are not.
func (in *Inputs) Match(file string) bool {
	if in.tree != nil && in.tree.Has(file) {
		return in.set[file]
	}
	return in.about(file) != no
}

// about says whether a change of the path is one of the inputs.
func (in *Inputs) about(file string) answer {
	there := in.tree != nil && in.tree.Has(file)
	if there && in.set[file] {
		return yes
	}
	if there && !in.packages[path.Dir(file)] {
		return no
	}
	out := no
	for _, r := range in.rules {
		switch a := r.match(file); {
		case there && a == yes: // it is not listed, so something else leaves it out
		case a > out:
			out = a
		}
	}
	return out
}

// compiles reports whether a source that is in no list was one with that content.
func (in *Inputs) compiles(file string, data []byte) bool {
	for _, r := range in.rules {
		if c, ok := bare(r).(conditional); ok && c.match(file) == ask && c.compiles(file, data) {
			return true
		}
	}
	return false
}

// kind is what a person knows an input as.
func (in *Inputs) kind(file string) string {
	for _, r := range in.rules {
		if k, ok := r.(kinded); ok && r.match(file) != no {
			return k.kind
		}
	}
	return "file"
}

// hashInputs hashes the settings, the parts and the files.
func (t *Tree) hashInputs(settings []string, in *Inputs) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "slipway plan %d\n", PlanVersion)
	for _, s := range settings {
		_, _ = fmt.Fprintf(h, "%q\n", s)
	}
	for _, p := range in.Parts {
		_, _ = fmt.Fprintf(h, "part %q %q\n", p.Files, p.value)
	}
	for _, f := range in.Files {
		if err := t.hashFile(h, f); err != nil {
			return "", fmt.Errorf("hashing the inputs: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (t *Tree) hashFile(h hash.Hash, name string) error {
	sum, kind, err := t.Sum(name)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(h, "%s %x %q\n", kind, sum, name)
	return nil
}

// Sum returns the SHA-256 of a file's content and its kind: "file", "exec" or "link" (of
// which the content is the target). These are the modes that git knows, so they are equal
// in every clone, whatever the umask.
func (t *Tree) Sum(name string) (sum []byte, kind string, err error) {
	s := remember(&t.memo, &t.memo.sums, name, func() fileSum {
		sum, kind, err := t.readSum(name)
		return fileSum{sum, kind, err}
	})
	return s.sum, s.kind, s.err
}

func (t *Tree) readSum(name string) (sum []byte, kind string, err error) {
	h := sha256.New()
	if target, ok := t.Link(name); ok {
		_, _ = io.WriteString(h, target)
		return h.Sum(nil), "link", nil
	}
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if _, err := io.Copy(h, f); err != nil {
		return nil, "", err
	}
	kind = "file"
	if info.Mode()&0o111 != 0 {
		kind = "exec"
	}
	return h.Sum(nil), kind, nil
}
