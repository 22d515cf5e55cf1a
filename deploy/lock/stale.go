package lock

import (
	"time"

	"github.com/moby/moby/api/types/swarm"
)

// Stuck is a lock whose holder no longer keeps it alive.
type Stuck struct {
	Name  string // of the config
	Owner Owner
	Age   time.Duration // since the last beat
}

// Stale are the locks, of all stacks, that have not been moved for three times their lease. now
// is by the Swarm's clock, as are the configs' times; clocks of managers may differ a little,
// which is why a deploy itself does not judge so.
func Stale(configs []swarm.Config, now time.Time) (out []Stuck) {
	for i := range configs {
		c := &configs[i]
		if c.Spec.Labels[labelToken] == "" {
			continue
		}
		if age := now.Sub(c.UpdatedAt); age > 3*leaseOf(c, 30*time.Second) {
			out = append(out, Stuck{Name: c.Spec.Name, Owner: ownerOf(c), Age: age})
		}
	}
	return out
}
