package diff

import (
	"fmt"
	"maps"
	"slices"

	"github.com/moby/moby/api/types/network"
)

// networkFields names what differs of a network that is there. What the manifest does not say
// is the daemon's to choose.
func networkFields(want network.CreateRequest, have network.Network) []string {
	var out []string
	if want.Driver != "" && want.Driver != have.Driver {
		out = append(out, fmt.Sprintf("driver (%s, wanted %s)", have.Driver, want.Driver))
	}
	if want.Attachable != have.Attachable {
		out = append(out, fmt.Sprintf("attachable (%t, wanted %t)", have.Attachable, want.Attachable))
	}
	if want.Internal != have.Internal {
		out = append(out, fmt.Sprintf("internal (%t, wanted %t)", have.Internal, want.Internal))
	}
	for _, k := range slices.Sorted(maps.Keys(want.Options)) {
		if have.Options[k] != want.Options[k] {
			out = append(out, fmt.Sprintf("driver_opts.%s (%q, wanted %q)", k, have.Options[k], want.Options[k]))
		}
	}
	if want.EnableIPv6 != nil && *want.EnableIPv6 != have.EnableIPv6 {
		out = append(out, fmt.Sprintf("enable_ipv6 (%t, wanted %t)", have.EnableIPv6, *want.EnableIPv6))
	}
	if want.IPAM != nil && !sameIPAM(*want.IPAM, have.IPAM) {
		out = append(out, "ipam")
	}
	if !maps.Equal(want.Labels, have.Labels) {
		out = append(out, "labels")
	}
	return out
}

// sameIPAM compares what is said alone: the daemon chooses the rest, a gateway among it, and
// shows that too.
func sameIPAM(want network.IPAM, have network.IPAM) bool {
	if want.Driver != "" && want.Driver != have.Driver {
		return false
	}
	for _, w := range want.Config {
		if !slices.ContainsFunc(have.Config, func(h network.IPAMConfig) bool {
			return (!w.Subnet.IsValid() || w.Subnet.Masked() == h.Subnet.Masked()) && (!w.IPRange.IsValid() || w.IPRange == h.IPRange) &&
				(!w.Gateway.IsValid() || w.Gateway == h.Gateway)
		}) {
			return false
		}
	}
	return true
}
