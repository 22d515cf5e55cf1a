package pipeline

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
)

// serviceName is what a service's directory may be called. A name becomes part of an
// image reference (lower case, distribution's grammar for a path component) and of a
// Swarm service's name (at most 63 characters, RFC 1123 label).
var serviceName = regexp.MustCompile(`^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)

const maxServiceName = 63

// ValidateName says what is wrong with a service's name, nil where nothing is.
func ValidateName(name string) error { return validate("a service's", "build:service ping", name) }

// ValidateEnvironment says what is wrong with an environment's name, which becomes part of
// a stack's name and of a file's.
func ValidateEnvironment(name string) error { return validate("an environment's", "deploy dev", name) }

func validate(whose, example, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s name is missing: write it after the target, as in `mage %s`", whose, example)
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("%q is a flag where %s name belongs: names come first, flags after them", name, whose)
	case len(name) > maxServiceName:
		return fmt.Errorf("%q is no %s name: %d characters, at most %d are allowed", name, strings.TrimPrefix(strings.TrimPrefix(whose, "an "), "a "), len(name), maxServiceName)
	case !serviceName.MatchString(name):
		return fmt.Errorf("%q is no %s name: a name has lower-case letters and digits, with single dots, dashes and underscores between them", name, strings.TrimPrefix(strings.TrimPrefix(whose, "an "), "a "))
	}
	return nil
}

// secretName is what the daemon allows (swarmkit, controlapi: validateConfigOrSecretAnnotations).
var secretName = regexp.MustCompile(`^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$`)

const maxSecretName = 64

// ValidateSecret says what is wrong with a secret's name.
func ValidateSecret(name string) error {
	switch {
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("%q is a flag where a secret's name belongs: names come first, flags after them", name)
	case len(name) > maxSecretName || !secretName.MatchString(name):
		return fmt.Errorf("%q is no secret's name: letters and digits, with dots, dashes and underscores between them, at most %d characters", name, maxSecretName)
	}
	return nil
}

// Nearest returns the known names that are close enough to name to be what was meant,
// the closest first.
func Nearest(name string, known []string) []string {
	type scored struct {
		name string
		dist int
	}
	var near []scored
	for _, k := range known {
		d := levenshtein.Distance(name, k, nil)
		if d <= 1+len(k)/3 || strings.HasPrefix(k, name) || strings.HasPrefix(name, k) {
			near = append(near, scored{k, d})
		}
	}
	sort.Slice(near, func(i, j int) bool {
		if near[i].dist != near[j].dist {
			return near[i].dist < near[j].dist
		}
		return near[i].name < near[j].name
	})
	out := make([]string, len(near))
	for i, n := range near {
		out[i] = n.name
	}
	return out
}
