package manifest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// hasHostPort tells whether a port is published on the node itself.
func (s *service) hasHostPort() bool {
	return slices.ContainsFunc(s.Ports, func(p types.ServicePortConfig) bool {
		return p.Mode == "host" && p.Published != "" && p.Published != "0"
	})
}

// ports checks what is published.
func (s *service) ports() {
	type binding struct{ published, protocol string }
	taken := map[binding]bool{}
	for _, p := range s.Ports {
		say := func(sev Severity, do, format string, args ...any) {
			what := p.Published
			if what == "" {
				what = strconv.Itoa(int(p.Target))
			}
			s.sayItem(sev, "ports", what, do, format, args...)
		}
		if p.Target == 0 || p.Target > 65535 {
			say(Error, "", "%d is no port of a container", p.Target)
		}
		if !slices.Contains([]string{"", "ingress", "host"}, p.Mode) {
			say(Error, "use ingress or host", "there is no mode %q", p.Mode)
		}
		if !slices.Contains([]string{"", "tcp", "udp", "sctp"}, p.Protocol) {
			say(Error, "use tcp, udp or sctp", "there is no protocol %q", p.Protocol)
		}
		if strings.EqualFold(s.deploy.EndpointMode, "dnsrr") && p.Mode != "host" {
			say(Error, "write mode: host for the port, or endpoint_mode: vip", "Swarm cannot publish a port in ingress mode for a service with endpoint_mode: dnsrr")
		}
		if _, err := PublishedPort(p.Published); err != nil {
			say(Error, "publish one port", "%v", err)
			continue
		}
		b := binding{p.Published, p.Protocol}
		if p.Published != "" && p.Published != "0" && taken[b] {
			say(Error, "give each a port of its own", "port %s is published twice", p.Published)
		}
		taken[b] = true
	}
}
