package pipeline

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Repo is what a repository offers: its settings and its services.
type Repo struct {
	Tree     *Tree
	Settings *Settings
	Project  string
	Platform Platform
	Services []Service // sorted by name
}

// Platform is what services are built for.
type Platform struct{ OS, Arch string }

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// Service is one service of a repository.
type Service struct {
	Name       string
	Dir        string // relative to the repository
	Main       string // directory of the main package, "" without Go code
	Dockerfile string // "" where there is none: the service can be checked, not packed
	Context    string // build context
	Settings   ServiceSettings
}

// Discover finds the services of a tree. A directory of the services' root is a service
// when it holds a main package (itself, in cmd/NAME, or the only one below cmd/) or a
// Dockerfile. fallback names the project where the settings do not.
func Discover(t *Tree, fallback string, platform Platform) (*Repo, error) {
	settings := &Settings{ServicesDir: "services"}
	if t.Has(SettingsFile) {
		data, err := t.Read(SettingsFile)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", SettingsFile, err)
		}
		if settings, err = ParseSettings(data); err != nil {
			return nil, err
		}
	}
	r := &Repo{Tree: t, Settings: settings, Project: settings.Project, Platform: platform}
	if r.Project == "" {
		r.Project = fallback
	}
	for _, name := range t.List(settings.ServicesDir) {
		s, err := r.inspect(name)
		if err != nil {
			return nil, err
		}
		if s != nil {
			r.Services = append(r.Services, *s)
		}
	}
	for _, name := range sortedKeys(settings.Services) {
		if _, err := r.Service(name); err != nil {
			return nil, fmt.Errorf("%s: services: %w", SettingsFile, err)
		}
	}
	return r, nil
}

// inspect says what service the entry of the services' root is, nil where it is none.
func (r *Repo) inspect(name string) (*Service, error) {
	dir := path.Join(r.Settings.ServicesDir, name)
	if !r.Tree.IsDir(dir) || ValidateName(name) != nil {
		return nil, nil
	}
	s := &Service{Name: name, Dir: dir, Settings: r.Settings.Services[name]}
	s.Main = s.Settings.Main
	if s.Main == "" {
		var err error
		if s.Main, err = r.findMain(dir, name); err != nil {
			return nil, err
		}
	} else if s.Main = path.Clean(s.Main); !r.Tree.isMain(s.Main, r.Platform.OS, r.Platform.Arch) {
		return nil, fmt.Errorf("%s: services.%s.main: there is no main package in %s", SettingsFile, name, s.Main)
	}
	own := path.Join(dir, "Dockerfile")
	switch {
	case s.Settings.Dockerfile != "":
		if s.Dockerfile = path.Clean(s.Settings.Dockerfile); !r.Tree.Has(s.Dockerfile) {
			return nil, fmt.Errorf("%s: services.%s.dockerfile: there is no file %s that git knows", SettingsFile, name, s.Dockerfile)
		}
	case r.Tree.Has(own):
		s.Dockerfile = own
	case s.Main != "" && r.Tree.Has(path.Join(r.Settings.ServicesDir, "Dockerfile")):
		s.Dockerfile = path.Join(r.Settings.ServicesDir, "Dockerfile")
	}
	if s.Main == "" && s.Dockerfile == "" {
		return nil, nil
	}
	if s.Context = r.context(s); !r.Tree.IsDir(s.Context) {
		return nil, fmt.Errorf("%s: services.%s.context: there is no directory %s with files that git knows", SettingsFile, name, s.Context)
	}
	return s, nil
}

// defaultDockerfiles are where a Dockerfile of the service is looked for.
func defaultDockerfiles(r *Repo, s *Service) []string {
	files := []string{path.Join(s.Dir, "Dockerfile")}
	if s.Main != "" {
		files = append(files, path.Join(r.Settings.ServicesDir, "Dockerfile"))
	}
	return files
}

// context is the services' root, as the Dockerfile's contract has it, unless the service
// brings a context of its own: a .dockerignore, which means something only at a context's
// root, or a go.mod, which makes the directory complete by itself, beside its Dockerfile.
func (r *Repo) context(s *Service) string {
	switch {
	case s.Settings.Context != "":
		return path.Clean(s.Settings.Context)
	case s.Dockerfile == path.Join(s.Dir, "Dockerfile") && slices.ContainsFunc(ownContext(s.Dir), r.Tree.Has):
		return s.Dir
	}
	return r.Settings.ServicesDir
}

// ownContext are the files that make a service's directory a build context.
func ownContext(dir string) []string {
	return []string{path.Join(dir, ".dockerignore"), path.Join(dir, "go.mod")}
}

func (r *Repo) findMain(dir, name string) (string, error) {
	isMain := func(d string) bool { return r.Tree.isMain(d, r.Platform.OS, r.Platform.Arch) }
	if isMain(dir) {
		return dir, nil
	}
	cmd := path.Join(dir, "cmd")
	if own := path.Join(cmd, name); isMain(own) {
		return own, nil
	}
	var mains []string
	for _, n := range r.Tree.List(cmd) {
		if d := path.Join(cmd, n); isMain(d) {
			mains = append(mains, d)
		}
	}
	switch len(mains) {
	case 0:
		return "", nil
	case 1:
		return mains[0], nil
	}
	return "", fmt.Errorf("service %s has several main packages (%s): name one in %s, as services: {%s: {main: %s}}",
		name, strings.Join(mains, ", "), SettingsFile, name, mains[0])
}

// Names are the services' names, sorted.
func (r *Repo) Names() []string {
	names := make([]string, len(r.Services))
	for i, s := range r.Services {
		names[i] = s.Name
	}
	return names
}

// Service returns the service of that name. The error of an unknown one names the nearest.
func (r *Repo) Service(name string) (*Service, error) {
	if err := ValidateName(name); err != nil {
		return nil, err
	}
	for i := range r.Services {
		if r.Services[i].Name == name {
			return &r.Services[i], nil
		}
	}
	dir := path.Join(r.Settings.ServicesDir, name)
	if r.Tree.IsDir(dir) {
		return nil, fmt.Errorf("%s is no service: it has neither a main package nor a Dockerfile (files that git ignores do not count)", dir)
	}
	known := r.Names()
	switch near := Nearest(name, known); {
	case len(near) > 0:
		return nil, fmt.Errorf("there is no service %q: did you mean %s?", name, strings.Join(near, " or "))
	case len(known) > 0:
		return nil, fmt.Errorf("there is no service %q: there are %s", name, strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("there is no service %q: no directory of %s/ has a main package or a Dockerfile that git knows", name, r.Settings.ServicesDir)
}
