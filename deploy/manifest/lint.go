package manifest

import (
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// lint checks a manifest that could be loaded: what Swarm cannot do, what it would refuse,
// and what it would do but nobody wants.
func (l *loader) lint(m *Manifest, model map[string]any) {
	services, _ := model["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m.Project.Services)) {
		s := m.Project.Services[name]
		l.serviceName(m.Stack, name)
		l.unsupported(name, services[name])
		v := service{loader: l, m: m, name: name, ServiceConfig: s, deploy: types.DeployConfig{}}
		if s.Deploy != nil {
			v.deploy = *s.Deploy
		}
		v.mode()
		v.restart()
		v.updates()
		v.health()
		v.ports()
		v.mounts()
		v.references()
		v.resources()
		v.values()
		v.confidential()
	}
	l.networks(m)
	l.cycles(m)
	l.confidentialConfigs(m)
}

// service is one service being checked.
type service struct {
	*loader
	types.ServiceConfig
	m      *Manifest
	name   string
	deploy types.DeployConfig // empty where there is none
}

// at is a path below the service.
func (s *service) at(path ...string) []string { return append([]string{"services", s.name}, path...) }

func (s *service) say(sev Severity, at []string, do, format string, args ...any) {
	s.add(sev, s.at(at...), do, format, args...)
}

// sayItem reports about the entry of a list that mentions what.
func (s *service) sayItem(sev Severity, list, what, do, format string, args ...any) {
	file, line := s.places.item(what, "services", s.name, list)
	s.addAt(sev, file, line, s.at(list), do, format, args...)
}

func (s *service) job() bool {
	return s.deploy.Mode == "replicated-job" || s.deploy.Mode == "global-job"
}
