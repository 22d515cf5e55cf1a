package manifest

import (
	"fmt"
	"path"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// entries checks lists that compose-go reads without a word about lines, and where it lets
// the last of two entries with one target win. It tells whether all can be read.
func (l *loader) entries(sources []*source) bool {
	readable := true
	for _, s := range sources {
		steps := 0
		walk(s.root, nil, &steps, func(at []string, n *yaml.Node, _ int) {
			if len(at) == 3 && at[0] == "services" && n.Kind == yaml.SequenceNode {
				readable = l.list(s.file, at, n) && readable
			}
		})
	}
	return readable
}

func (l *loader) list(file string, at []string, n *yaml.Node) (readable bool) {
	target := map[string]func(string) (string, error){
		"ports": l.portSyntax, "volumes": mountTarget, "configs": itself, "secrets": itself,
	}[at[2]]
	if target == nil {
		return true
	}
	readable = true
	seen := map[string]bool{}
	for _, item := range n.Content {
		line := item.Line
		item = resolve(item)
		where := ""
		switch item.Kind {
		case yaml.ScalarNode:
			var err error
			if where, err = target(item.Value); err != nil {
				l.addAt(Error, file, line, at, "", "%q cannot be read: %v", item.Value, err)
				readable = false
				continue
			}
		case yaml.MappingNode:
			if at[2] != "ports" {
				where = longTarget(item)
			}
		}
		if where == "" {
			continue
		}
		if seen[where] {
			l.addAt(Error, file, line, at, "give each a target of its own", "two of them go to %s, and only the last would be there", where)
		}
		seen[where] = true
	}
	return readable
}

// portSyntax checks "8080:80". Two entries for one port are looked for in the model. A few ranges
// in a manifest can name more ports than there is memory for.
func (l *loader) portSyntax(text string) (string, error) {
	if l.ports > allPorts { // said already
		return "", nil
	}
	ports, err := types.ParsePortConfig(text)
	if l.ports += len(ports); err == nil && l.ports > allPorts {
		err = fmt.Errorf("with it the manifest publishes %d ports, and a node has %d", l.ports, allPorts)
	}
	return "", err
}

const allPorts = 65535

func mountTarget(text string) (string, error) {
	v, err := format.ParseVolume(text)
	if err != nil {
		return "", err
	}
	return path.Clean(v.Target), nil
}

func itself(text string) (string, error) { return text, nil }

// longTarget is the target of a mapping, or the source where a config or secret has none.
func longTarget(n *yaml.Node) string {
	out := ""
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := resolve(n.Content[i+1]).Value
		switch n.Content[i].Value {
		case "target":
			return strings.TrimSuffix(v, "/")
		case "source":
			out = v
		}
	}
	return out
}
