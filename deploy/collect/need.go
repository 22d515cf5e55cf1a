package collect

import (
	"slices"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/live"
	"slipway/deploy/release"
)

// Need is what decides, on every node, what of a stack may go and what has to stay.
type Need struct {
	stack        string
	repositories map[string]bool // that a release of the stack recorded; images of others are foreign
	images       map[string]bool // digests, and names where there is none, that are needed
	tasks        map[string]bool // ids of those that run or are to run
}

// Needed is pure. Needed are the images of kept releases and services, of all stacks, and of
// what a service would go back to. Where a record cannot be read, no image may go: which it
// needs is not known.
func Needed(state *live.State, stack string, keep int) Need {
	n := Need{stack: stack, repositories: map[string]bool{}, images: map[string]bool{}, tasks: map[string]bool{}}
	blind := false
	for _, name := range release.Stacks(state.Configs) {
		entries, unreadable := release.Entries(state.Configs, name)
		blind = blind || len(unreadable) > 0
		var gone []release.Entry
		if name == stack {
			gone = release.Expired(entries, keep)
		}
		for _, e := range entries {
			kept := !slices.ContainsFunc(gone, func(g release.Entry) bool { return g.Number == e.Number })
			for _, s := range e.Want.Services {
				image := imageOf(s.Spec.TaskTemplate)
				if name == stack {
					n.repositories[repository(image)] = true
				}
				if kept {
					n.images[key(image)] = true
				}
			}
		}
	}
	for _, s := range state.Services {
		n.images[key(imageOf(s.Spec.TaskTemplate))] = true
		if s.PreviousSpec != nil {
			n.images[key(imageOf(s.PreviousSpec.TaskTemplate))] = true
		}
	}
	for _, t := range state.Tasks {
		n.tasks[t.ID] = true
		n.images[key(imageOf(t.Spec))] = true
	}
	if delete(n.repositories, ""); blind {
		n.repositories = nil
	}
	return n
}

func imageOf(t swarm.TaskSpec) string {
	if t.ContainerSpec == nil {
		return ""
	}
	return t.ContainerSpec.Image
}

// key is what two references to one image have in common: the digest, or the full name.
func key(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	if d, ok := named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return reference.TagNameOnly(named).String()
}

// repository is a reference without tag and digest.
func repository(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return named.Name()
}
