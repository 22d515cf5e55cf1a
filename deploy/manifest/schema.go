package manifest

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/schema"
	"go.yaml.in/yaml/v4"
)

// schema holds each file against the compose specification's schema. compose-go would do
// that after merging, when nobody knows any more which file it was. It tells whether all fit.
func (l *loader) schema(sources []*source) bool {
	fit := true
	for _, s := range sources {
		remove(s.root, "version") // has no effect, and compose-go logs that it has none
		v, _ := value(s.root)
		for range 100 { // the schema tells of one error at a time, so what is wrong is taken out
			err := schema.Validate(v.(map[string]any))
			if err == nil {
				break
			}
			fit = false
			if !takeOut(v, l.composeLine(err.Error())) {
				break
			}
		}
	}
	return fit
}

// takeOut removes what is at a path, or the list that it is in, and tells whether it was there.
func takeOut(v any, path []string) bool {
	for i, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		if _, ok = m[name]; !ok {
			return false
		}
		if i == len(path)-1 || strings.HasPrefix(path[i+1], "[") {
			delete(m, name)
			return true
		}
		v = m[name]
	}
	return false
}

// value is a node as plain maps, lists and scalars, false for what an override takes away.
func value(n *yaml.Node) (any, bool) {
	n = resolve(n)
	if n.Tag == "!reset" {
		return nil, false
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "<<" {
				merged(n.Content[i+1], out)
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i].Value
			if v, ok := value(n.Content[i+1]); ok && k != "<<" {
				out[k] = v
			}
		}
		return out, true
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			if v, ok := value(c); ok {
				out = append(out, v)
			}
		}
		return out, true
	}
	plain := *n
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		plain.Tag = ""
	}
	var out any
	if err := plain.Decode(&out); err != nil {
		return n.Value, true
	}
	return out, true
}

// merged adds what "<<" brings, the first of several winning.
func merged(n *yaml.Node, out map[string]any) {
	all := []*yaml.Node{n}
	if r := resolve(n); r.Kind == yaml.SequenceNode {
		all = r.Content
	}
	for i := len(all) - 1; i >= 0; i-- {
		if v, ok := value(all[i]); ok {
			if m, ok := v.(map[string]any); ok {
				for k, e := range m {
					out[k] = e
				}
			}
		}
	}
}
