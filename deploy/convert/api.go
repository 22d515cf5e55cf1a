package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"
)

// gate is a field that older daemons do not know: they would drop it without a word, and
// each later look would find a difference.
type gate struct {
	since string   // of Docker's API ("API version history", Docker's documentation)
	path  []string // in the manifest, below the service
	// refuse: without the field the service would do something else, so leaving it out is no choice.
	refuse bool
	// drop takes the field out and tells whether it was there.
	drop func(*swarm.ServiceSpec) bool
}

var gates = []gate{
	{"1.41", []string{"deploy", "mode"}, true, func(s *swarm.ServiceSpec) bool {
		return s.Mode.ReplicatedJob != nil || s.Mode.GlobalJob != nil
	}},
	{"1.41", []string{"cap_add"}, true, func(s *swarm.ServiceSpec) bool { return drop(&s.TaskTemplate.ContainerSpec.CapabilityAdd) }},
	{"1.41", []string{"cap_drop"}, true, func(s *swarm.ServiceSpec) bool { return drop(&s.TaskTemplate.ContainerSpec.CapabilityDrop) }},
	{"1.41", []string{"ulimits"}, false, func(s *swarm.ServiceSpec) bool { return drop(&s.TaskTemplate.ContainerSpec.Ulimits) }},
	{"1.41", []string{"deploy", "resources", "limits", "pids"}, false, func(s *swarm.ServiceSpec) bool {
		l := s.TaskTemplate.Resources.Limits
		return l != nil && zero(&l.Pids)
	}},
	{"1.44", []string{"healthcheck", "start_interval"}, false, func(s *swarm.ServiceSpec) bool {
		h := s.TaskTemplate.ContainerSpec.Healthcheck
		return h != nil && zero(&h.StartInterval)
	}},
	{"1.44", []string{"volumes"}, true, func(s *swarm.ServiceSpec) bool {
		return anyMount(s, func(m *mount.Mount) bool {
			return m.BindOptions != nil && (m.BindOptions.ReadOnlyNonRecursive || m.BindOptions.ReadOnlyForceRecursive)
		})
	}},
	{"1.45", []string{"volumes"}, true, func(s *swarm.ServiceSpec) bool {
		return anyMount(s, func(m *mount.Mount) bool { return m.VolumeOptions != nil && m.VolumeOptions.Subpath != "" })
	}},
	{"1.46", []string{"oom_score_adj"}, false, func(s *swarm.ServiceSpec) bool { return zero(&s.TaskTemplate.ContainerSpec.OomScoreAdj) }},
	{"1.48", []string{"volumes"}, true, func(s *swarm.ServiceSpec) bool {
		return anyMount(s, func(m *mount.Mount) bool { return m.Type == mount.TypeImage })
	}},
}

func drop[T any](list *[]T) bool {
	had := len(*list) > 0
	*list = nil
	return had
}

func zero[T comparable](v *T) bool {
	var none T
	had := *v != none
	*v = none
	return had
}

func anyMount(s *swarm.ServiceSpec, is func(*mount.Mount) bool) bool {
	mounts := s.TaskTemplate.ContainerSpec.Mounts
	return slices.ContainsFunc(mounts, func(m mount.Mount) bool { return is(&m) })
}

// gate takes out of a spec what the daemon does not know.
func (c *converter) gate(key string, spec *swarm.ServiceSpec) {
	for _, g := range gates {
		if !old(c.API, g.since) || !g.drop(spec) {
			continue
		}
		at := append([]string{"services", key}, g.path...)
		if g.refuse {
			c.fail(at, "the daemon's API is %s, and this needs %s: update Docker", c.API, g.since)
			continue
		}
		c.note(at, g.since)
	}
}

func (c *converter) note(at []string, since string) {
	file, line := c.m.Place(at...)
	c.stack.Notes = append(c.stack.Notes, fmt.Sprintf("%s:%d: %s is left out: the daemon's API is %s, and it needs %s",
		file, line, strings.Join(at, "."), c.API, since))
}

// old tells whether an API version is below another. What is no version is a new one.
func old(api, since string) bool {
	minor := func(v string) int {
		major, rest, _ := strings.Cut(v, ".")
		m, err := strconv.Atoi(major)
		n, err2 := strconv.Atoi(rest)
		if err != nil || err2 != nil {
			return 1 << 30
		}
		return m*10_000 + n
	}
	return minor(api) < minor(since)
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
