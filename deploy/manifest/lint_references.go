package manifest

import (
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// references checks that what a service names is declared.
func (s *service) references() {
	for _, n := range slices.Sorted(maps.Keys(s.Networks)) {
		if _, ok := s.m.Project.Networks[n]; !ok {
			s.sayItem(Error, "networks", n, "declare it under networks:", "there is no network %s", n)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(s.DependsOn)) {
		s.dependency(d, s.DependsOn[d])
	}
	var configs, secrets []types.FileReferenceConfig
	for _, c := range s.Configs {
		configs = append(configs, types.FileReferenceConfig(c))
	}
	for _, c := range s.Secrets {
		secrets = append(secrets, types.FileReferenceConfig(c))
	}
	s.files("configs", configs, s.m.Configs, "/")
	s.files("secrets", secrets, s.m.Secrets, "/run/secrets")
	if c := s.CredentialSpec; c != nil {
		if _, ok := s.m.Configs[c.Config]; c.Config != "" && !ok {
			s.say(Error, []string{"credential_spec", "config"}, "declare it under configs:", "there is no config %s", c.Config)
		}
		given := 0
		for _, v := range []string{c.Config, c.File, c.Registry} {
			if v != "" {
				given++
			}
		}
		if given > 1 {
			s.say(Error, []string{"credential_spec"}, "keep one", "it has several of config, file and registry")
		}
	}
}

// files checks references to configs or secrets. Relative targets are below base, and two
// references may not have one target.
func (s *service) files(kind string, refs []types.FileReferenceConfig, declared map[string]Object, base string) {
	targets := map[string]string{}
	one := kind[:len(kind)-1]
	for _, r := range refs {
		if _, ok := declared[r.Source]; !ok {
			s.sayItem(Error, kind, r.Source, "declare it under "+kind+":", "there is no %s %s", one, r.Source)
			continue
		}
		target := r.Target
		if target == "" {
			target = r.Source
		}
		if !path.IsAbs(target) {
			target = path.Join(base, target)
		}
		if old, ok := targets[target]; ok {
			s.sayItem(Error, kind, r.Source, "give each a target of its own", "%s and %s would both be %s in the container", old, r.Source, target)
		}
		targets[target] = r.Source
		if r.Mode != nil && (*r.Mode < 0 || *r.Mode > 0o7777) {
			s.sayItem(Error, kind, r.Source, "write it in octal, as 0440", "%d is no mode of a file", *r.Mode)
		} else if r.Mode != nil && s.decimalMode(kind, r.Source) {
			s.sayItem(Warning, kind, r.Source, "write 0440 if that is meant", "a mode without a leading 0 is decimal: this is %s", r.Mode)
		}
	}
}

// decimalMode tells a mode that was most likely meant to be octal: 440 for 0440.
func (s *service) decimalMode(kind, source string) bool {
	for _, p := range s.places.items[key(s.at(kind))] {
		if !mentions(p.node, source) {
			continue
		}
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			v := resolve(p.node.Content[i+1])
			if p.node.Content[i].Value == "mode" && v.ShortTag() == "!!int" {
				return len(v.Value) == 3 && strings.Trim(v.Value, "01234567") == ""
			}
		}
	}
	return false
}

func (s *service) dependency(d string, c types.ServiceDependency) {
	if _, ok := s.m.Project.Services[d]; !ok {
		if c.Required {
			s.sayItem(Error, "depends_on", d, "", "there is no service %s", d)
		}
		return
	}
	on := s.m.Project.Services[d].Deploy
	job := on != nil && (on.Mode == "replicated-job" || on.Mode == "global-job")
	if c.Condition == types.ServiceConditionCompletedSuccessfully && !job {
		s.say(Error, []string{"depends_on", d, "condition"}, "give it deploy.mode: replicated-job", "%s is no job, so it never completes", d)
	}
}

// cycles reports services that wait for each other.
func (l *loader) cycles(m *Manifest) {
	const active, done = 1, 2
	state := map[string]int{}
	var visit func(name string, trail []string)
	visit = func(name string, trail []string) {
		s, ok := m.Project.Services[name]
		if !ok || state[name] == done {
			return
		}
		trail = append(trail, name)
		if state[name] == active {
			loop := trail[slices.Index(trail, name):]
			l.add(Error, []string{"services", loop[len(loop)-2], "depends_on"}, "remove one of them", "services wait for each other: %s", strings.Join(loop, " → "))
			return
		}
		state[name] = active
		for _, d := range slices.Sorted(maps.Keys(s.DependsOn)) {
			visit(d, trail)
		}
		state[name] = done
	}
	for _, name := range slices.Sorted(maps.Keys(m.Project.Services)) {
		visit(name, nil)
	}
}

// networks checks the declared ones.
func (l *loader) networks(m *Manifest) {
	for _, k := range slices.Sorted(maps.Keys(m.Project.Networks)) {
		n := m.Project.Networks[k]
		if n.External {
			continue
		}
		if n.Driver == "bridge" {
			l.add(Error, []string{"networks", k, "driver"}, "remove it: overlay is the default", "a bridge ends at its node, so Swarm cannot use it for services")
		}
		for _, c := range n.Ipam.Config {
			at := []string{"networks", k, "ipam", "config"}
			for _, prefix := range []string{c.Subnet, c.IPRange} {
				if _, err := netip.ParsePrefix(prefix); prefix != "" && err != nil {
					l.add(Error, at, "write it as 10.1.0.0/24", "%q is no range of addresses", prefix)
				}
			}
			if _, err := netip.ParseAddr(c.Gateway); c.Gateway != "" && err != nil {
				l.add(Error, at, "write it as 10.1.0.1", "%q is no address", c.Gateway)
			}
			for _, name := range slices.Sorted(maps.Keys(c.AuxiliaryAddresses)) {
				if _, err := netip.ParseAddr(c.AuxiliaryAddresses[name]); err != nil {
					l.add(Error, at, "write it as 10.1.0.1", "%q is no address", c.AuxiliaryAddresses[name])
				}
			}
		}
	}
}
