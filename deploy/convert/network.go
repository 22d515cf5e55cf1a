package convert

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/manifest"
)

// attachments names the networks of a service by name: the daemon replaces them by ids. The
// service's own name is an alias, except on networks that the daemon makes, which have none.
func (c *converter) attachments(key string, networks map[string]*types.ServiceNetworkConfig) []swarm.NetworkAttachmentConfig {
	var out []swarm.NetworkAttachmentConfig
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		target := c.m.Project.Networks[name].Name
		a := swarm.NetworkAttachmentConfig{Target: target}
		alias := userDefined(target)
		if n := networks[name]; n != nil {
			a.Aliases = slices.Clone(n.Aliases)
			a.DriverOpts = n.DriverOpts
			alias = alias && n.ServiceNameAliasEnabled()
		}
		if alias && !slices.Contains(a.Aliases, key) {
			a.Aliases = append(a.Aliases, key)
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b swarm.NetworkAttachmentConfig) int { return cmp.Compare(a.Target, b.Target) })
	return out
}

// userDefined tells a network that people made from those that every daemon has.
func userDefined(name string) bool {
	return !slices.Contains([]string{"default", "bridge", "host", "none"}, name) && !strings.HasPrefix(name, "container:")
}

// networks are those that services use; the others are nobody's concern.
func (c *converter) networks() {
	used := map[string]bool{}
	for _, s := range c.m.Project.Services {
		for name := range s.Networks {
			used[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		n := c.m.Project.Networks[name]
		if n.External {
			c.stack.External.Networks = append(c.stack.External.Networks, n.Name)
			continue
		}
		driver := n.Driver
		if driver == "" {
			driver = "overlay"
		}
		request := network.CreateRequest{
			Name: n.Name, Driver: driver, Options: n.DriverOpts, Internal: n.Internal, Attachable: n.Attachable,
			EnableIPv4: n.EnableIPv4, EnableIPv6: n.EnableIPv6, Labels: c.labels(n.Labels), IPAM: c.ipam(name, n.Ipam),
		}
		if n.EnableIPv4 != nil && old(c.API, "1.47") {
			request.EnableIPv4 = nil
			c.note([]string{"networks", name, "enable_ipv4"}, "1.47")
		}
		c.stack.Networks = append(c.stack.Networks, request)
	}
	slices.Sort(c.stack.External.Networks)
	c.stack.External.Networks = slices.Compact(c.stack.External.Networks)
	slices.SortFunc(c.stack.Networks, func(a, b network.CreateRequest) int { return cmp.Compare(a.Name, b.Name) })
}

func (c *converter) ipam(name string, i types.IPAMConfig) *network.IPAM {
	if i.Driver == "" && len(i.Config) == 0 && len(i.Options) == 0 {
		return nil
	}
	out := &network.IPAM{Driver: i.Driver, Options: i.Options}
	for _, p := range i.Config {
		if p == nil {
			continue
		}
		pool := network.IPAMConfig{
			Subnet:  parsed(c, name, p.Subnet, netip.ParsePrefix),
			IPRange: parsed(c, name, p.IPRange, netip.ParsePrefix),
			Gateway: parsed(c, name, p.Gateway, netip.ParseAddr),
		}
		for _, host := range slices.Sorted(maps.Keys(p.AuxiliaryAddresses)) {
			if pool.AuxAddress == nil {
				pool.AuxAddress = map[string]netip.Addr{}
			}
			pool.AuxAddress[host] = parsed(c, name, p.AuxiliaryAddresses[host], netip.ParseAddr)
		}
		out.Config = append(out.Config, pool)
	}
	return out
}

// parsed reads an address; loading a manifest has reported those that are none.
func parsed[T any](c *converter, name, text string, parse func(string) (T, error)) (v T) {
	if text == "" {
		return v
	}
	v, err := parse(text)
	if err != nil {
		c.fail([]string{"networks", name, "ipam", "config"}, "%v", err)
	}
	return v
}

// endpoint has the published ports, in Swarm's own order.
func (c *converter) endpoint(key, mode string, ports []types.ServicePortConfig) *swarm.EndpointSpec {
	out := &swarm.EndpointSpec{Mode: swarm.ResolutionMode(strings.ToLower(mode))}
	for _, p := range ports {
		published, err := manifest.PublishedPort(p.Published)
		if err != nil {
			c.fail([]string{"services", key, "ports"}, "%v", err)
		}
		out.Ports = append(out.Ports, swarm.PortConfig{
			Name: p.Name, Protocol: network.IPProtocol(cmp.Or(p.Protocol, "tcp")), TargetPort: p.Target, PublishedPort: published,
			PublishMode: swarm.PortConfigPublishMode(cmp.Or(p.Mode, "ingress")),
		})
	}
	slices.SortFunc(out.Ports, swarm.PortConfig.Compare)
	return out
}

func (c *converter) dns(key string, s types.ServiceConfig) *swarm.DNSConfig {
	if len(s.DNS) == 0 && len(s.DNSSearch) == 0 && len(s.DNSOpts) == 0 {
		return nil
	}
	out := &swarm.DNSConfig{Search: s.DNSSearch, Options: s.DNSOpts}
	for _, text := range s.DNS {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			c.fail([]string{"services", key, "dns"}, "%q is no address", text)
			continue
		}
		out.Nameservers = append(out.Nameservers, addr)
	}
	return out
}
