package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"
)

// SettingsFile is the optional file, at the repository's root, that says what convention
// does not.
const SettingsFile = "slipway.yaml"

// Settings is slipway.yaml. Every field is optional.
type Settings struct {
	// Project names the whole; unset, the repository's directory does.
	Project string `yaml:"project"`
	// ServicesDir holds the services; unset, "services".
	ServicesDir string `yaml:"services_dir"`
	// Source is the repository's address for people, an image label
	// (org.opencontainers.image.source); unset, git's origin in its https form.
	Source string `yaml:"source"`
	// Registry is where images go when $REGISTRY is unset.
	Registry string `yaml:"registry"`
	// Toolchain is an image with Go and a C compiler ("golang:1.26-bookworm"): tests then
	// run with the race detector. Unset, a toolchain is assembled from the Go module proxy.
	Toolchain string `yaml:"toolchain"`
	// Services are overrides by service name.
	Services map[string]ServiceSettings `yaml:"services"`
	// Environments say where stacks run, by environment.
	Environments map[string]EnvironmentSettings `yaml:"environments"`
	// Labels are the labels of merge requests that ask for something.
	Labels LabelSettings `yaml:"labels"`
	// Trust are public keys, as ci:keys prints them: what they signed as built and checked is
	// not built and checked again ($SLIPWAY_TRUSTED_KEYS wins over them).
	Trust []string `yaml:"trust"`
}

// ServiceSettings overrides convention for one service. Paths are relative to the
// repository.
type ServiceSettings struct {
	Main       string            `yaml:"main"`       // directory of the main package
	Dockerfile string            `yaml:"dockerfile"` // instead of the service's own or the default one
	Context    string            `yaml:"context"`    // build context, instead of the services' root
	Image      string            `yaml:"image"`      // image name, instead of the service's
	Tags       []string          `yaml:"tags"`       // floating tags pushed along: dev, latest
	Args       map[string]string `yaml:"args"`       // build arguments
	Toolchain  string            `yaml:"toolchain"`  // instead of the top one
}

// ParseSettings reads slipway.yaml. Unknown keys, wrong types and impossible values are
// errors with the file's name and line.
func ParseSettings(data []byte) (*Settings, error) {
	s := &Settings{}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, settingsError(err)
	}
	if s.ServicesDir == "" {
		s.ServicesDir = "services"
	}
	s.ServicesDir = path.Clean(s.ServicesDir)
	return s, s.validate()
}

var (
	floatingTag  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	unknownField = regexp.MustCompile(`field (\S+) not found in type pipeline\.(\w+)`)
	yamlLine     = regexp.MustCompile(`line (\d+)`)
)

func (s *Settings) validate() error {
	bad := func(key, format string, args ...any) error {
		return fmt.Errorf("%s: %s: %s", SettingsFile, key, fmt.Sprintf(format, args...))
	}
	if err := insideRepo(s.ServicesDir); err != nil {
		return bad("services_dir", "%v", err)
	}
	for _, name := range sortedKeys(s.Services) {
		if err := ValidateName(name); err != nil {
			return bad("services", "%v", err)
		}
		o := s.Services[name]
		for _, p := range []struct{ key, path string }{{"main", o.Main}, {"dockerfile", o.Dockerfile}, {"context", o.Context}} {
			if p.path == "" {
				continue
			}
			if err := insideRepo(p.path); err != nil {
				return bad("services."+name+"."+p.key, "%v", err)
			}
		}
		for _, t := range o.Tags {
			if !floatingTag.MatchString(t) {
				return bad("services."+name+".tags", "%q is no image tag", t)
			}
		}
	}
	if err := s.Labels.validate(bad); err != nil {
		return err
	}
	return s.validateEnvironments(bad)
}

func insideRepo(p string) error {
	if c := path.Clean(p); path.IsAbs(c) || c == ".." || strings.HasPrefix(c, "../") {
		return fmt.Errorf("%q is outside the repository: write a path relative to its root", p)
	}
	return nil
}

// settingsError puts the file and line in front, and the nearest key behind an unknown one.
func settingsError(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	where := SettingsFile
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		where += ":" + m[1]
	}
	if m := unknownField.FindStringSubmatch(msg); m != nil {
		known := settingsKeys
		switch m[2] {
		case "ServiceSettings":
			known = serviceKeys
		case "EnvironmentSettings":
			known = environmentKeys
		case "LabelSettings":
			known = labelKeys
		}
		if near := Nearest(m[1], known); len(near) > 0 {
			return fmt.Errorf("%s: unknown key %q: did you mean %q?", where, m[1], near[0])
		}
		return fmt.Errorf("%s: unknown key %q: known are %s", where, m[1], strings.Join(known, ", "))
	}
	return fmt.Errorf("%s: %s", where, strings.Join(strings.Fields(msg), " "))
}

var (
	settingsKeys = []string{"project", "services_dir", "source", "registry", "toolchain", "services", "environments", "labels", "trust"}
	serviceKeys  = []string{"main", "dockerfile", "context", "image", "tags", "args", "toolchain"}
)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
