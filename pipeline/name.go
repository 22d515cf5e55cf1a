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
func ValidateName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a service's name is missing: write it after the target, as in `mage build:service ping`")
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("%q is a flag where a service's name belongs: names come first, flags after them", name)
	case len(name) > maxServiceName:
		return fmt.Errorf("%q is no service's name: %d characters, at most %d are allowed", name, len(name), maxServiceName)
	case !serviceName.MatchString(name):
		return fmt.Errorf("%q is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them", name)
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
