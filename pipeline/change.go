package pipeline

import (
	"errors"
	"slices"
	"strings"
)

// Change is a path that differs from what it was at some commit.
type Change struct {
	Path string
	// Was names the content at that commit (git's blob), "" where the file was not there and
	// Unknown where that cannot be told.
	Was string
}

// Unknown stands for a content that cannot be had: a submodule's at another commit.
const Unknown = "?"

// Blobs gives contents by their names.
type Blobs func(id string) ([]byte, error)

// Cause is a change of a service's inputs.
type Cause struct {
	// Path is the file, Kind what it is to the service: "lint configuration", "package shared/a".
	Path string `json:"path"`
	Kind string `json:"kind"`
	// Lines are what changed of a file that counts in parts: "- go 1.26.8", "+ go 1.26.9".
	Lines []string `json:"lines,omitempty"`

	inputs *Inputs
}

// Only are inputs of nothing but what has changed here: their history tells which commit last
// changed it.
func (c Cause) Only() *Inputs { return c.inputs }

// Changed returns which of the changes are changes of the inputs, none where the service
// would be built into the same.
func (in *Inputs) Changed(changes []Change, blobs Blobs) []Cause {
	return (&versions{blobs: blobs}).causes(in, nil, changes, true)
}

// alone are inputs of one part.
func (in *Inputs) alone(p *Part) *Inputs {
	out := &Inputs{Parts: []Part{*p}}
	out.index(in.tree)
	return out
}

// versions compares inputs with earlier states of the repository. What it finds out about a
// version of a file serves all services.
type versions struct {
	blobs  Blobs
	data   map[string][]byte
	values map[string]string // of parts
}

// causes compares inputs with a state of the repository: at names files' contents in the
// state that the inputs are equal to, where they differ from the tree's, and changes those
// that differ from it in the other one. Without all it stops at the first.
func (v *versions) causes(in *Inputs, at map[string]string, changes []Change, all bool) []Cause {
	var out []Cause
	partial := false
	for _, c := range changes {
		partial = partial || in.partial[c.Path]
		a := in.about(c.Path)
		if a == no || a == ask && !v.compiles(in, c) {
			continue
		}
		if !all {
			return []Cause{{Path: c.Path}}
		}
		out = append(out, Cause{Path: c.Path, Kind: in.kind(c.Path), inputs: &Inputs{rules: []rule{exact(c.Path)}}})
	}
	for i := range in.Parts {
		if !partial {
			break
		}
		p := &in.Parts[i]
		was, mine := map[string]string{}, ""
		for f, id := range at {
			was[f] = id
		}
		for _, c := range changes {
			if slices.Contains(p.Files, c.Path) {
				was[c.Path], mine = c.Was, c.Path
			}
		}
		if mine == "" {
			continue
		}
		value := v.value(in, p, was)
		switch {
		case value == p.value:
		case !all:
			return []Cause{{Path: mine}}
		default:
			out = append(out, Cause{Path: mine, Kind: p.What, Lines: linesBetween(value, p.value), inputs: in.alone(p)})
		}
	}
	return out
}

var errUnknown = errors.New("its earlier content is not here")

// compiles reports whether a source that is not compiled now, or not there, was.
func (v *versions) compiles(in *Inputs, c Change) bool {
	if c.Was == "" {
		return false
	}
	data, err := v.read(c.Was)
	return err != nil || in.compiles(c.Path, data)
}

func (v *versions) read(id string) ([]byte, error) {
	if id == Unknown || v.blobs == nil {
		return nil, errUnknown
	}
	if data, ok := v.data[id]; ok {
		return data, nil
	}
	data, err := v.blobs(id)
	if err != nil {
		return nil, err
	}
	if v.data == nil {
		v.data = map[string][]byte{}
	}
	v.data[id] = data
	return data, nil
}

// value is what counted of a part's files when they had the contents named in was; those that
// are not named are as in the tree.
func (v *versions) value(in *Inputs, p *Part, was map[string]string) string {
	key := p.key
	for _, f := range p.Files {
		if id, ok := was[f]; ok {
			key += "\x00" + f + "\x00" + id
		}
	}
	if value, ok := v.values[key]; ok {
		return value
	}
	value := p.of(func(file string) ([]byte, bool, error) {
		id, ok := was[file]
		switch {
		case !ok:
			return in.tree.reading()(file)
		case id == "":
			return nil, false, nil
		}
		data, err := v.read(id)
		return data, err == nil, err
	})
	if v.values == nil {
		v.values = map[string]string{}
	}
	v.values[key] = value
	return value
}

// linesBetween are the lines that only one of two texts has.
func linesBetween(was, is string) []string {
	a, b := lineSet(was), lineSet(is)
	var out []string
	for _, l := range strings.Split(was, "\n") {
		if l != "" && !b[l] {
			out = append(out, "- "+l)
		}
	}
	for _, l := range strings.Split(is, "\n") {
		if l != "" && !a[l] {
			out = append(out, "+ "+l)
		}
	}
	return out
}

func lineSet(text string) map[string]bool {
	out := map[string]bool{}
	for _, l := range strings.Split(text, "\n") {
		out[l] = true
	}
	return out
}
