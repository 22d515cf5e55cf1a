package manifest

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// values checks what the daemon would refuse only after something has been written.
func (s *service) values() {
	for _, d := range s.DNS {
		if _, err := netip.ParseAddr(d); err != nil {
			s.sayItem(Error, "dns", d, "write an IP address", "%q is no address", d)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(s.ExtraHosts)) {
		for _, ip := range s.ExtraHosts[host] {
			if _, err := netip.ParseAddr(ip); err != nil {
				do := `write it as "name:10.0.0.1"`
				if ip == "host-gateway" {
					do = "Swarm does not know host-gateway: write the address"
				}
				s.sayItem(Error, "extra_hosts", host, do, "%q is no address", ip)
			}
		}
	}
	for _, c := range s.deploy.Placement.Constraints {
		if !strings.Contains(c, "==") && !strings.Contains(c, "!=") {
			s.say(Error, []string{"deploy", "placement", "constraints"}, "write it as node.labels.disk == ssd", "%q is no constraint", c)
		}
	}
	if s.StopGracePeriod != nil && *s.StopGracePeriod < 0 {
		s.say(Error, []string{"stop_grace_period"}, "", "%s is negative", s.StopGracePeriod)
	}
	if p := s.Platform; p != "" && strings.Count(p, "/") == 0 {
		s.say(Error, []string{"platform"}, "write it as linux/amd64", "%q is no platform", p)
	}
	for k := range s.Environment {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			s.say(Error, []string{"environment"}, "write NAME: value", "%q is no variable's name", k)
		}
	}
}

// SecretWords matches the last word of variables' names that hold a secret, and not a file with
// one.
const SecretWords = `(PASSWORD|PASSWD|PASS|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)$`

var secretName = regexp.MustCompile(`(?i)(^|_)` + SecretWords)

// confidential looks for secrets where anybody with access to the daemon reads them. Values
// are never part of a message.
func (s *service) confidential() {
	for _, k := range slices.Sorted(maps.Keys(s.Environment)) {
		v := s.Environment[k]
		if v == nil || *v == "" {
			continue
		}
		file, line := s.places.item(k, "services", s.name, "environment")
		at := s.at("environment", k)
		if s.known(*v) {
			s.addAt(Error, file, line, at, "make it a secret, and give the container its path (/run/secrets/…)",
				"its value is a secret, and everybody who may list services could read it")
		} else if secretName.MatchString(k) {
			s.addAt(Warning, file, line, at, "make it a secret, if it is one, and give the container its path (/run/secrets/…)",
				"by its name it is a secret, and everybody who may list services can read it")
		}
	}
	lists := map[string][]string{"command": s.Command, "entrypoint": s.Entrypoint, "labels": slices.Collect(maps.Values(s.Labels))}
	if s.HealthCheck != nil {
		lists["healthcheck"] = s.HealthCheck.Test
	}
	for _, k := range slices.Sorted(maps.Keys(lists)) {
		if slices.ContainsFunc(lists[k], s.known) {
			s.say(Error, []string{k}, "make it a secret, and give the container its path (/run/secrets/…)", "it contains a secret, and everybody who may list services could read it")
		}
	}
}

// confidentialConfigs looks for secrets in configs, which anybody with access reads too.
func (l *loader) confidentialConfigs(m *Manifest) {
	for _, k := range slices.Sorted(maps.Keys(m.Configs)) {
		if l.known(m.Configs[k].Data.Reveal()) {
			l.add(Error, []string{"configs", k}, "make it a secret instead of a config", "it contains a secret, and everybody who may list configs could read it")
		}
	}
}

// shortSecret is a length below which a value is too common to be found inside others.
const shortSecret = 6

// known tells whether a text is or contains one of the values known to be secret.
func (l *loader) known(text string) bool {
	for _, s := range l.Secret {
		v := s.Reveal()
		if v != "" && (text == v || len(v) >= shortSecret && strings.Contains(text, v)) {
			return true
		}
	}
	return false
}
