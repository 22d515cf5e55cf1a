package manifest

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// expandAll replaces the variables in every value of the sources. Keys are left alone, as
// Docker leaves them.
func (l *loader) expandAll(sources []*source) {
	container := map[*yaml.Node]bool{}
	steps := 0
	for _, s := range sources {
		walk(s.root, nil, &steps, func(path []string, n *yaml.Node, _ int) {
			if forContainer(path) {
				container[n] = true
			}
		})
	}
	seen := map[*yaml.Node]bool{}
	for _, s := range sources {
		steps = 0
		walk(s.root, nil, &steps, func(path []string, n *yaml.Node, _ int) {
			if n.Kind == yaml.ScalarNode && !seen[n] && strings.Contains(n.Value, "$") {
				seen[n] = true
				e := &expansion{lookup: l.lookup, keep: container[n]}
				if isImage(path) {
					e.lookup = l.imageLookup(path[1], n.Value)
				}
				n.Value = e.expand(n.Value)
				for _, p := range e.problems {
					l.variable(p, s.file, n.Line, path, container[n])
				}
			}
		})
	}
}

// lookup knows the names that the convention for config versions sets, and the deploy's
// variables.
func (l *loader) lookup(name string) (string, bool) {
	if v, ok := l.vars[name]; ok {
		return v, true
	}
	v, ok := l.Vars[name]
	return v, ok
}

// forContainer tells values that a shell in the container may expand.
func forContainer(path []string) bool {
	if len(path) < 3 || path[0] != "services" {
		return false
	}
	return path[2] == "command" || path[2] == "entrypoint" ||
		path[2] == "healthcheck" && len(path) > 3 && path[3] == "test"
}

func isImage(path []string) bool {
	return len(path) == 3 && path[0] == "services" && path[2] == "image"
}

// variable reports a ${…} that could not be replaced.
func (l *loader) variable(p problem, file string, line int, at []string, container bool) {
	say := func(s Severity, do, format string, args ...any) {
		l.addAt(s, file, line, at, do, format, args...)
	}
	switch {
	case p.kind == required && p.wants != "":
		say(Error, "set it for this deploy", "%s has no value: %s", p.name, p.wants)
	case p.kind == required:
		say(Error, "set it for this deploy", "%s has no value, and %s demands one", p.name, p.text)
	case container && p.kind == undefined:
		say(Warning, "write $"+p.text+" if the container is to expand it", "%s is not a variable of this deploy, so %s is left for the container", p.name, p.text)
	case container:
		say(Warning, "write $$ for a $ that the container is to see", "%s is no variable, so it is left for the container", p.text)
	case p.kind == undefined && p.name == "TAG" && isImage(at):
		say(Error, "build the service, set TAG, or write a tag", "there is no tag for this image")
	case p.kind == undefined:
		say(Error, "set it for this deploy, or write ${"+p.name+":-default}", "%s is not defined", p.name)
	default:
		say(Error, "write $$ for a plain $", "%s is no variable", p.text)
	}
}
