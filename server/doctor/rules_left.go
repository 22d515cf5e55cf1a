package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/lock"
	"slipway/deploy/release"
)

// locks looks for those that a deploy has left behind.
func locks(f Facts) (out []Finding) {
	for _, l := range lock.Stale(f.State.Configs, f.Now) {
		out = append(out, Finding{Rule: "locks", Object: l.Name,
			What: fmt.Sprintf("the lock %s of %s has not been kept alive for %s", l.Name, l.Owner, l.Age.Round(time.Second)),
			Why:  "its deploy was killed, and what it was doing is half-way",
			Do:   "deploy again: the lock is taken over, and the rest is done; or take it away: mage deploy:unlock ENV"})
	}
	return out
}

// young configs may belong to a deploy that has not come to its services yet.
const young = time.Hour

// orphans looks for configs of stacks that nothing needs: no service, and no release's record.
func orphans(f Facts) (out []Finding) {
	used, recorded := referred(f), map[string]bool{}
	for _, stack := range release.Stacks(f.State.Configs) {
		entries, unreadable := release.Entries(f.State.Configs, stack)
		if len(unreadable) > 0 {
			return nil // what it needs is not known
		}
		owned := release.Owned(entries)
		for _, n := range slices.Concat(owned.Configs, owned.Secrets) {
			recorded[n] = true
		}
	}
	left := map[string][]string{}
	for _, c := range f.State.Configs {
		stack := c.Spec.Labels[convert.LabelNamespace]
		if stack != "" && !used[c.ID] && !recorded[c.Spec.Name] && f.Now.Sub(c.CreatedAt) > young {
			left[stack] = append(left[stack], c.Spec.Name)
		}
	}
	for stack, names := range left {
		slices.Sort(names)
		out = append(out, Finding{Rule: "orphans", Object: stack,
			What: fmt.Sprintf("the stack %s has %d configs that no service uses and no release needs: %s", stack, len(names), strings.Join(names, ", ")),
			Why:  "nobody will ever remove them, and what is confidential in them stays readable to all who may use Docker",
			Do:   "docker config rm " + strings.Join(names, " ")})
	}
	return out
}

// referred has the ids of configs that services use, or would go back to.
func referred(f Facts) map[string]bool {
	used := map[string]bool{}
	refer := func(spec *swarm.ServiceSpec) {
		if spec == nil || spec.TaskTemplate.ContainerSpec == nil {
			return
		}
		c := spec.TaskTemplate.ContainerSpec
		for _, r := range c.Configs {
			used[r.ConfigID] = true
		}
		if c.Privileges != nil && c.Privileges.CredentialSpec != nil {
			used[c.Privileges.CredentialSpec.Config] = true
		}
	}
	for _, s := range f.State.Services {
		refer(&s.Spec)
		refer(s.PreviousSpec)
	}
	return used
}
