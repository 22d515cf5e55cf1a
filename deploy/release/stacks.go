package release

import (
	"slices"

	"github.com/moby/moby/api/types/swarm"
)

// Stacks names those of which there are records.
func Stacks(configs []swarm.Config) (out []string) {
	for _, c := range configs {
		if stack := c.Spec.Labels[labelStack]; stack != "" && c.Spec.Labels[labelNumber] != "" {
			out = append(out, stack)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
