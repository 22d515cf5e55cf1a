package manifest

import (
	"regexp"
	"strings"

	composeloader "github.com/compose-spec/compose-go/v2/loader"
)

var (
	// Swarm's rules (swarmkit, manager/controlapi): a service's name is a DNS label, since it
	// is looked up as one; configs and secrets may have dots and be one longer.
	serviceNameRule = regexp.MustCompile(`^[A-Za-z0-9]+(?:[-_]*[A-Za-z0-9]+)*$`)
	objectNameRule  = regexp.MustCompile(`^[A-Za-z0-9]+(?:[A-Za-z0-9-_.]*[A-Za-z0-9])?$`)
)

// serviceNameLimit is a DNS label's.
const serviceNameLimit = 63

// stackName puts the name together and checks it.
func (l *loader) stackName() string {
	for _, part := range []struct{ what, value string }{{"project", l.Project}, {"environment", l.Env}} {
		switch {
		case part.value == "":
			l.addAt(Error, "", 0, nil, "", "the %s's name is empty", part.what)
		case composeloader.NormalizeProjectName(part.value) != part.value:
			l.addAt(Error, "", 0, nil, "use lower-case letters, digits, - and _, with a letter or a digit first",
				"%q cannot be the name of a %s", part.value, part.what)
		}
	}
	return l.Project + "_" + l.Env
}

// serviceName checks what a service will be called in the Swarm.
func (l *loader) serviceName(stack, service string) {
	full := stack + "_" + service
	at := []string{"services", service}
	switch {
	case len(full) > serviceNameLimit:
		l.add(Error, at, "shorten it", "its name in the Swarm, %s, has %d characters, and %d are allowed", full, len(full), serviceNameLimit)
	case !serviceNameRule.MatchString(full):
		l.add(Error, at, "use letters, digits, - and _, with a letter or a digit at both ends", "%s cannot be a service's name in the Swarm", full)
	}
}

// pathText is a path as people write it: "services.web.ports[0]".
func pathText(path []string) string {
	return strings.ReplaceAll(strings.Join(path, "."), ".[", "[")
}
