package secrets

import (
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
	"slipway/deploy/release"
)

// Unused are versions of a stack's secrets that later ones have replaced, that no service uses,
// and that no release could be brought back with; and those that a broken-off rotation left.
// kept are the stack's releases that stay. To be asked with the stack's lock held.
func Unused(state *live.State, stack string, kept []release.Entry) (out []Version) {
	live, previous := mounted(state.Services)
	recorded := map[string]bool{}
	note := func(entries []release.Entry) {
		for _, e := range entries {
			for _, n := range e.Want.External.Secrets {
				recorded[n] = true
			}
		}
	}
	note(kept)
	for _, other := range release.Stacks(state.Configs) {
		if other != stack {
			entries, _ := release.Entries(state.Configs, other)
			note(entries)
		}
	}
	for _, s := range state.Secrets {
		v, base := version(s), Base(s)
		newest, ok := Newest(state.Secrets, base)
		switch {
		case Owned(s) || live[s.ID] || !ok:
		case newest.Stack != stack && v.Stack != stack:
		case v.Pending && v.Stack == stack:
			out = append(out, v)
		case v.Number >= newest.Number || v.Pending:
		case outdated(state.Secrets, base, v.Number) || !previous[s.ID] && !recorded[v.Name]:
			out = append(out, v)
		}
	}
	return out
}

// mounted has the ids of secrets that services use, and that they would go back to.
func mounted(services []swarm.Service) (live, previous map[string]bool) {
	live, previous = map[string]bool{}, map[string]bool{}
	refer := func(to map[string]bool, spec *swarm.ServiceSpec) {
		if spec == nil || spec.TaskTemplate.ContainerSpec == nil {
			return
		}
		for _, r := range spec.TaskTemplate.ContainerSpec.Secrets {
			to[r.SecretID] = true
		}
	}
	for _, s := range services {
		refer(live, &s.Spec)
		refer(previous, s.PreviousSpec)
	}
	return live, previous
}
