package release

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/diff"
)

// Labels of records. com.docker.stack.namespace is not among them: what removes a stack by
// that label would take its history along.
const (
	labelStack  = "slipway.stack"
	labelNumber = "slipway.release"
	labelState  = "slipway.state"
	labelReason = "slipway.reason"
	// labelExpires is a label, since a deploy that changes nothing puts it off (RFC 3339).
	labelExpires = "slipway.expires"
)

// Entry is a release as the Swarm keeps it.
type Entry struct {
	Record
	State     State     `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	ConfigID  string    `json:"-"`
	Version   uint64    `json:"-"`
	CreatedAt time.Time `json:"created"` // by the Swarm's clock
}

// Entries finds a stack's releases among a Swarm's configs, the newest first. Records that
// cannot be read are passed over with a warning each.
func Entries(configs []swarm.Config, stack string) (entries []Entry, warnings []string) {
	for _, c := range configs {
		labels := c.Spec.Labels
		if labels[labelStack] != stack || labels[labelNumber] == "" {
			continue
		}
		r, err := decode(c.Spec.Data)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("the record %s of a release cannot be read and is passed over: %v", c.Spec.Name, err))
			continue
		}
		if strconv.Itoa(r.Number) != labels[labelNumber] || r.Stack != stack {
			warnings = append(warnings, fmt.Sprintf("the record %s of a release is passed over: its labels name another one than its content", c.Spec.Name))
			continue
		}
		r.Review = r.Review.until(labels[labelExpires])
		entries = append(entries, Entry{
			Record: *r, State: State(labels[labelState]), Reason: labels[labelReason],
			ConfigID: c.ID, Version: c.Version.Index, CreatedAt: c.CreatedAt,
		})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(b.Number, a.Number) })
	return entries, warnings
}

// Expired are the records beyond the newest `keep`, and beyond as many that went well: failures
// push out no way back. To be asked with the lock held: only then is an
// older record that is still applying known to be of a deploy that died.
func Expired(entries []Entry, keep int) []Entry {
	var out []Entry
	good, keep := 0, max(keep, 1)
	for i, e := range entries {
		if e.State == Done {
			good++
		}
		if i >= keep && (e.State != Done || good > keep) {
			out = append(out, e)
		}
	}
	return out
}

// Owned is what these releases recorded as the stack's own.
func Owned(entries []Entry) diff.Owned {
	var o diff.Owned
	for _, e := range entries {
		for _, s := range e.Want.Services {
			o.Services = append(o.Services, s.Spec.Name)
		}
		for _, n := range e.Want.Networks {
			o.Networks = append(o.Networks, n.Name)
		}
		for _, c := range e.Want.Configs {
			o.Configs = append(o.Configs, c.Name)
		}
		for _, s := range e.Want.Secrets {
			o.Secrets = append(o.Secrets, s.Spec.Name)
		}
	}
	for _, l := range []*[]string{&o.Services, &o.Networks, &o.Configs, &o.Secrets} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return o
}

// ObjectName is "slipway-KIND_STACK_SUFFIX" within the 64 characters that a config's name may
// have: a long stack's name ends in a hash of the whole.
func ObjectName(kind, stack, suffix string) string {
	head, tail := "slipway-"+kind+"_", ""
	if suffix != "" {
		tail = "_" + suffix
	}
	if room := 64 - len(head) - len(tail); len(stack) > room {
		sum := sha256.Sum256([]byte(stack))
		stack = stack[:room-9] + "-" + hex.EncodeToString(sum[:4])
	}
	return head + stack + tail
}
