// Package manifest loads an environment's manifest, a compose file for Docker Swarm with its
// overrides, and says what is wrong with it before anything is sent anywhere.
//
// It is pure: files come from an fs.FS, variables from an explicit set, never from the
// process's environment.
package manifest

import (
	"io/fs"
	"path"

	"github.com/compose-spec/compose-go/v2/types"

	"slipway/secret"
)

// Options are all that a manifest depends on.
type Options struct {
	// FS holds the manifests and the files that they name.
	FS fs.FS
	// Files are paths in FS: the manifest, then overrides, later ones winning. Relative paths
	// inside any of them are relative to the first one's directory, as Docker has it.
	Files []string
	// Project and Env name the stack: <project>_<env>.
	Project, Env string
	// Vars is what ${…} may name. Nothing else is defined.
	Vars map[string]string
	// Tag gives ${TAG} in a service's image: image is the image's name with neither
	// ${REGISTRY} in front nor a tag ("ping"). Without an answer Vars["TAG"] counts.
	Tag func(image string) (tag string, ok bool)
	// Images replaces tags for one deploy: the name of an image or of a service → a tag. A
	// literal tag in the manifest is replaced too.
	Images map[string]string
	// Secret are values known to be secret. In a place that anybody with access to the
	// daemon can read (environment, command, labels, configs) they are refused.
	Secret []secret.Value
	// Mounts are paths of the node that services may mount although that gives them the node
	// ("/var/run/docker.sock"); "/:ro" only to be read.
	Mounts []string
	// Origin is the environment whose settings count where it is another than Env, for messages.
	Origin string
}

// Manifest is a loaded environment.
type Manifest struct {
	// Stack is its name in the Swarm, "project_dev".
	Stack string
	// Project is the model: merged, expanded, with every service's environment complete.
	Project *types.Project
	// Configs and Secrets by their keys in the manifest, with their final names and contents.
	Configs, Secrets map[string]Object

	cpus   map[string]nanoCPUs
	places *places
}

// Object is a config or a secret.
type Object struct {
	// Name is the one in the Swarm, with its version where there is one; at most 64 characters.
	Name     string
	External bool
	// Driver is set for a secret that a plugin supplies; it has no data then.
	Driver         string
	DriverOpts     map[string]string
	TemplateDriver string
	Labels         map[string]string
	// Data is masked for configs too: they are often just as confidential.
	Data secret.Value
}

// Load reads, expands, merges and checks a manifest. The findings are sorted by file and
// line; the manifest is nil where one of them is an error.
func Load(o Options) (*Manifest, Findings) {
	l := &loader{Options: o, vars: map[string]string{}, fixed: map[string]string{}}
	m := l.load()
	found := l.found.clean()
	if found.Err() != nil {
		return nil, found
	}
	return m, found
}

// Lint is what Load finds.
func Lint(o Options) Findings {
	_, found := Load(o)
	return found
}

// Place tells where a value was set last, for errors that come up later: the path is one of
// the manifest ("services", "web", "image"). Where the value itself is written nowhere it is
// the place of what it belongs to.
func (m *Manifest) Place(path ...string) (file string, line int) { return m.places.find(path...) }

// loader is one Load at work.
type loader struct {
	Options
	found  Findings
	places *places
	vars   map[string]string // of the seed's convention for config versions
	fixed  map[string]string // object ("configs.key") → the name the convention gave it
	ports  int               // that ranges have named so far
}

func (l *loader) load() *Manifest {
	stack := l.stackName()
	sources := l.parse()
	if l.found.Err() != nil {
		return nil
	}
	l.places = index(sources)
	l.found = append(l.found, l.places.found...)
	if l.found.Err() != nil {
		return nil
	}
	l.structure()
	l.nameConfigs()
	l.expandAll(sources)
	variables := l.found
	if !l.schema(sources) || !l.entries(sources) {
		return nil
	}
	var cpus map[string]nanoCPUs
	composed, err := compose(stack, sources, func(model map[string]any) { cpus = l.cpuLimits(model) })
	if err != nil {
		if variables.Err() == nil { // a value that a variable left empty may be what it complains of
			l.composeError(err)
		}
		return nil
	}
	m := &Manifest{Stack: stack, Project: composed.project, cpus: cpus, places: l.places}
	l.environment(m)
	l.images(m)
	m.Configs, m.Secrets = l.objects(m, "configs"), l.objects(m, "secrets")
	l.lint(m, composed.model)
	l.found = append(variables, l.found[len(variables):].elsewhere(variables)...)
	return m
}

// dir is what relative paths in the manifest are relative to.
func (l *loader) dir() string { return path.Dir(l.Files[0]) }
