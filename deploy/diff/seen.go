package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/deploy/live"
)

func key(k Kind, name string) string { return string(k) + "/" + name }

// mark is an object's id and version. Configs, secrets and networks are immutable but for
// their labels, so that the id alone counts; a service's version moves with what Swarm itself
// notes about an update, so that its spec counts, by the time it was set.
func mark(s *live.State, key string) string {
	kind, name, _ := strings.Cut(key, "/")
	switch Kind(kind) {
	case ServiceKind:
		if x := s.Service(name); x != nil {
			return fmt.Sprintf("%s@%s", x.ID, digestOf(x.Spec))
		}
	case NetworkKind:
		if x := s.Network(name); x != nil {
			return x.ID
		}
	case ConfigKind:
		if x := s.Config(name); x != nil {
			return x.ID
		}
	case SecretKind:
		if x := s.Secret(name); x != nil {
			return x.ID
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
