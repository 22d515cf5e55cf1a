package logs

import (
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
	"slipway/pipeline"
)

// All stands for every service of a stack, where none is called so.
const All = "all"

// Choose finds a stack's service by its name in the manifest, or by the one in the Swarm. The
// error names those that there are, or the one that was probably meant.
func Choose(state *live.State, stack, name string) ([]swarm.Service, error) {
	every := state.Of(stack)
	var keys []string
	for _, s := range every {
		key := live.Key(stack, s.Spec)
		if key == name || s.Spec.Name == name {
			return []swarm.Service{s}, nil
		}
		keys = append(keys, key)
	}
	near := pipeline.Nearest(name, keys)
	switch {
	case len(every) == 0:
		return nil, fmt.Errorf("%s has no services: it is not deployed", stack)
	case name == All:
		return every, nil
	case len(near) > 0:
		return nil, fmt.Errorf("%s has no service %q: did you mean %s?", stack, name, near[0])
	}
	return nil, fmt.Errorf("%s has no service %q: there are %s (or %s, for all of them)", stack, name, strings.Join(keys, ", "), All)
}
