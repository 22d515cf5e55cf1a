package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// place is where a value was written.
type place struct {
	file string
	line int
	node *yaml.Node
}

// places knows for each path of the model where it was set last.
type places struct {
	at    map[string]place
	first string // the manifest itself, for what is written nowhere
	// items are the entries of a list, of all files, in order.
	items map[string][]place
	found Findings
	steps int
}

// most bounds the walk: aliases of aliases can name more values than there are atoms.
const most = 200_000

// sep cannot be in a YAML key that anybody writes, unlike a dot.
const sep = "\x00"

func key(path []string) string { return strings.Join(path, sep) }

// index walks the sources, a later one winning.
func index(sources []*source) *places {
	p := &places{at: map[string]place{}, items: map[string][]place{}, first: sources[0].file}
	for _, s := range sources {
		p.duplicates(s.file, s.root, nil)
		walk(s.root, nil, &p.steps, func(path []string, n *yaml.Node, line int) {
			p.at[key(path)] = place{file: s.file, line: line, node: n}
			if n.Kind == yaml.SequenceNode {
				for _, item := range n.Content {
					p.items[key(path)] = append(p.items[key(path)], place{file: s.file, line: item.Line, node: resolve(item)})
				}
			}
		})
		if p.steps > most {
			p.found = append(p.found, Finding{Severity: Error, File: s.file,
				Message: fmt.Sprintf("its aliases unfold to more than %d values", most), Do: "write it with fewer aliases"})
			return p
		}
	}
	return p
}

// find gives the place of a path, or of the nearest thing that it is part of.
func (p *places) find(path ...string) (string, int) {
	for i := len(path); i > 0; i-- {
		if at, ok := p.at[key(path[:i])]; ok {
			return at.file, at.line
		}
	}
	return p.first, 0
}

// item gives the place of the last list entry under path that mentions what, as a scalar of
// its own or as a part between colons or before "=".
func (p *places) item(what string, path ...string) (string, int) {
	items := p.items[key(path)]
	for i := len(items) - 1; i >= 0; i-- {
		if mentions(items[i].node, what) {
			return items[i].file, items[i].line
		}
	}
	return p.find(append(path, what)...)
}

func mentions(n *yaml.Node, what string) bool {
	if n.Kind == yaml.ScalarNode {
		if n.Value == what || strings.HasPrefix(n.Value, what+"=") {
			return true
		}
		for _, part := range strings.FieldsFunc(n.Value, func(r rune) bool { return r == ':' || r == '/' && !strings.HasPrefix(what, "/") }) {
			if part == what {
				return true
			}
		}
		return false
	}
	for _, c := range n.Content {
		if c.Kind == yaml.ScalarNode && mentions(c, what) {
			return true
		}
	}
	return false
}

// walk visits every value below n with its path, aliases and merge keys unfolded. What a
// merge key brings comes before the mapping's own keys, which win. steps counts the visits
// and ends the walk beyond the bound, and with it what has no end: an alias inside itself.
func walk(n *yaml.Node, path []string, steps *int, visit func(path []string, n *yaml.Node, line int)) {
	walkAt(n, path, n.Line, steps, visit)
}

func walkAt(n *yaml.Node, path []string, line int, steps *int, visit func([]string, *yaml.Node, int)) {
	if *steps++; *steps > most || len(path) > 100 {
		*steps = max(*steps, most+1)
		return
	}
	n = resolve(n)
	if len(path) > 0 {
		visit(path, n, line)
	}
	child := func(name string) []string { return append(path[:len(path):len(path)], name) }
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "<<" {
				merge(n.Content[i+1], path, steps, visit)
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Value != "<<" {
				walkAt(n.Content[i+1], child(k.Value), k.Line, steps, visit)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			walkAt(item, child("["+strconv.Itoa(i)+"]"), item.Line, steps, visit)
		}
	}
}

// merge visits what "<<" brings: one mapping or, the first winning, a list of them.
func merge(n *yaml.Node, path []string, steps *int, visit func([]string, *yaml.Node, int)) {
	all := []*yaml.Node{n}
	if r := resolve(n); r.Kind == yaml.SequenceNode {
		all = r.Content
	}
	for i := len(all) - 1; i >= 0; i-- {
		if r := resolve(all[i]); r.Kind == yaml.MappingNode && *steps <= most {
			walkAt(r, path, r.Line, steps, visit)
		}
	}
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for range 100 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return n
}

// duplicates reports keys that a mapping has twice. It sees each node once, without aliases.
func (p *places) duplicates(file string, n *yaml.Node, path []string) {
	if n.Kind == yaml.AliasNode || len(path) > 100 {
		return
	}
	seen := map[string]int{}
	for i, c := range n.Content {
		name := strconv.Itoa(i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				if line, ok := seen[c.Value]; ok {
					p.found = append(p.found, Finding{Severity: Error, File: file, Line: c.Line, Path: strings.Join(append(path, c.Value), "."),
						Message: fmt.Sprintf("the key is there already, on line %d", line), Do: "remove one of the two"})
				}
				seen[c.Value] = c.Line
				continue
			}
			name = n.Content[i-1].Value
		}
		p.duplicates(file, c, append(path[:len(path):len(path)], name))
	}
}
