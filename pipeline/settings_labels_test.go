package pipeline

import "testing"

func TestLabels(t *testing.T) {
	for data, want := range map[string]LabelSettings{
		"":                                     {Tests: "tests", Build: "build-*", Deploy: "*-deploy"},
		"labels: {tests: ci}\n":                {Tests: "ci", Build: "build-*", Deploy: "*-deploy"},
		"labels: {build: 'image::*'}\n":        {Tests: "tests", Build: "image::*", Deploy: "*-deploy"},
		"labels: {deploy: 'to * please'}\n":    {Tests: "tests", Build: "build-*", Deploy: "to * please"},
		"labels:\n  build: make-*\n  tests:\n": {Tests: "tests", Build: "make-*", Deploy: "*-deploy"},
	} {
		s, err := ParseSettings([]byte(data))
		if err != nil {
			t.Errorf("%q: %v", data, err)
		} else if got := s.Labels.Named(); got != want {
			t.Errorf("%q: %+v, want %+v", data, got, want)
		}
	}
}

func TestBadLabels(t *testing.T) {
	for data, want := range map[string]string{
		"labels: {test: ci}\n":         `slipway.yaml:1: unknown key "test": did you mean "tests"?`,
		"labels: {build: build}\n":     `slipway.yaml: labels.build: "build": write a label with one * where a service's name is (build-*)`,
		"labels: {deploy: '*'}\n":      `slipway.yaml: labels.deploy: "*": write a label with one * where an environment's name is (*-deploy)`,
		"labels: {deploy: '*-to-*'}\n": `slipway.yaml: labels.deploy: "*-to-*": write a label with one * where an environment's name is (*-deploy)`,
		"labels: {tests: 'tests-*'}\n": `slipway.yaml: labels.tests: "tests-*": this label names nothing, so it has no *`,
		"labels: {build: 'build,*'}\n": `slipway.yaml: labels.build: "build,*": a label has no comma, since commas separate labels`,
		"labels: [tests]\n":            `slipway.yaml:1: `,
	} {
		_, err := ParseSettings([]byte(data))
		if want == "slipway.yaml:1: " {
			if err == nil || err.Error()[:len(want)] != want {
				t.Errorf("%q: %v, want it to start with %s", data, err, want)
			}
			continue
		}
		says(t, err, want)
	}
}
