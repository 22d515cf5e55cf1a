package manifest

import (
	"bytes"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
)

// environment completes each service's: env_file below environment, a name without a value
// taken from the deploy's variables.
func (l *loader) environment(m *Manifest) {
	for name, s := range m.Project.Services {
		env := types.MappingWithEquals{}
		for _, f := range s.EnvFiles {
			l.envFile(name, f, env)
		}
		for _, k := range slices.Sorted(maps.Keys(s.Environment)) {
			v := s.Environment[k]
			if v == nil {
				if set, ok := l.lookup(k); ok {
					v = &set
				} else {
					file, line := l.places.item(k, "services", name, "environment")
					l.addAt(Warning, file, line, []string{"services", name, "environment", k},
						"give it a value, or set it for this deploy",
						"it has no value and is not a variable of this deploy, so the container has it unset")
				}
			}
			env[k] = v
		}
		s.Environment, s.EnvFiles = env, nil
		m.Project.Services[name] = s
	}
}

func (l *loader) envFile(service string, f types.EnvFile, env types.MappingWithEquals) {
	file, line := l.places.item(f.Path, "services", service, "env_file")
	at := []string{"services", service, "env_file"}
	data, err := l.read(f.Path)
	if err != nil {
		if f.Required {
			l.addAt(Error, file, line, at, "add the file, or remove it here", "%s %v", f.Path, err)
		}
		return
	}
	if f.Format != "" {
		l.addAt(Error, file, line, at, "leave it out: files of NAME=value lines are read", "the format %q is not known", f.Format)
		return
	}
	missing := map[string]bool{}
	values, err := dotenv.ParseWithLookup(bytes.NewReader(data), func(k string) (string, bool) {
		if v, ok := env[k]; ok && v != nil {
			return *v, true
		}
		v, ok := l.lookup(k)
		missing[k] = missing[k] || !ok
		return v, ok
	})
	if err != nil {
		l.addAt(Error, file, line, at, "", "%s is not a file of NAME=value lines: %v", f.Path, err)
		return
	}
	for _, k := range slices.Sorted(maps.Keys(missing)) {
		if _, ok := values[k]; missing[k] && !ok {
			l.addAt(Warning, file, line, at, "define it there or for this deploy", "%s uses %s, which is not defined", f.Path, k)
		}
	}
	for k, v := range values {
		env[k] = &v
	}
}
