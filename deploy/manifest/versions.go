package manifest

import (
	"crypto/md5" //nolint:gosec // a version's name, as the convention has it; nothing relies on it being hard to forge
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// nameLimit is what Swarm allows for a config's or a secret's name.
const nameLimit = 64

var wholeVariable = regexp.MustCompile(`^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))$`)

// nameConfigs follows a convention that manifests for `docker stack deploy` have, since
// configs cannot be changed:
//
//	configs:
//	  app:
//	    name: ${APP_CONFIG}
//	    file: ./app.toml
//
// sets APP_CONFIG to "app_config_<md5 of the file>" before anything is expanded, so that each
// content has a name of its own.
func (l *loader) nameConfigs() {
	for _, kind := range []string{"configs", "secrets"} {
		for _, name := range l.places.keys(kind) {
			l.nameConfig(kind, name)
		}
	}
}

func (l *loader) nameConfig(kind, name string) {
	nameNode, fileNode := l.places.scalar(kind, name, "name"), l.places.scalar(kind, name, "file")
	if nameNode == nil || fileNode == nil {
		return
	}
	m := wholeVariable.FindStringSubmatch(nameNode.Value)
	if m == nil {
		return
	}
	file := (&expansion{lookup: l.lookup}).expand(fileNode.Value)
	data, err := l.read(file)
	if err != nil {
		// Reported where the object's content is read; until then any name will do.
		data = nil
	}
	variable := m[1] + m[2]
	sum := md5.Sum(data) //nolint:gosec // see above
	value := shorten(strings.ToLower(variable + "_" + hex.EncodeToString(sum[:])))
	if old, ok := l.vars[variable]; ok && old != value {
		l.add(Error, []string{kind, name, "name"}, "give each a variable of its own", "%s names another file's version already", variable)
		return
	}
	l.vars[variable] = value
	l.fixed[kind+"."+name] = value
}

// shorten keeps names within Swarm's limit: the start, and a hash of the whole.
func shorten(name string) string {
	if len(name) <= nameLimit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	tail := "-" + hex.EncodeToString(sum[:])[:12]
	return strings.TrimRight(name[:nameLimit-len(tail)], "-_.") + tail
}

// keys lists what is declared under a top-level key, sorted.
func (p *places) keys(kind string) []string {
	found := map[string]bool{}
	for k := range p.at {
		if parts := strings.Split(k, sep); len(parts) == 2 && parts[0] == kind {
			found[parts[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// scalar is the node that set a value last, nil where it is none.
func (p *places) scalar(path ...string) *yaml.Node {
	at, ok := p.at[key(path)]
	if !ok || at.node.Kind != yaml.ScalarNode {
		return nil
	}
	return at.node
}
