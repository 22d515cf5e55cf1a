package pipeline

import "strings"

// LabelSettings names the labels of merge requests that ask for something. Every field is
// optional.
type LabelSettings struct {
	Tests  string `yaml:"tests"`  // asks for the check of what the merge request changes; "tests"
	Build  string `yaml:"build"`  // asks for an image of the service that stands for *; "build-*"
	Deploy string `yaml:"deploy"` // asks for a deploy to the environment that stands for *; "*-deploy"
}

var labelKeys = []string{"tests", "build", "deploy"}

// Named gives the labels with convention's names where the settings have none.
func (l LabelSettings) Named() LabelSettings {
	return LabelSettings{
		Tests:  first(l.Tests, "tests"),
		Build:  first(l.Build, "build-*"),
		Deploy: first(l.Deploy, "*-deploy"),
	}
}

func (l LabelSettings) validate(bad func(key, format string, args ...any) error) error {
	l = l.Named()
	for _, p := range []struct{ key, label, whose, example string }{
		{"labels.build", l.Build, "a service's", "build-*"},
		{"labels.deploy", l.Deploy, "an environment's", "*-deploy"},
	} {
		if strings.Count(p.label, "*") != 1 || p.label == "*" {
			return bad(p.key, "%q: write a label with one * where %s name is (%s)", p.label, p.whose, p.example)
		}
	}
	for _, p := range []struct{ key, label string }{{"labels.tests", l.Tests}, {"labels.build", l.Build}, {"labels.deploy", l.Deploy}} {
		if strings.Contains(p.label, ",") {
			return bad(p.key, "%q: a label has no comma, since commas separate labels", p.label)
		}
	}
	if strings.Contains(l.Tests, "*") {
		return bad("labels.tests", "%q: this label names nothing, so it has no *", l.Tests)
	}
	return nil
}
