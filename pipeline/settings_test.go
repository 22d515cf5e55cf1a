package pipeline

import (
	"reflect"
	"testing"
)

func TestParseSettings(t *testing.T) {
	got, err := ParseSettings([]byte(`
project: shop
services_dir: ./apps/
source: https://git.example.com/shop
registry: registry.example.com
toolchain: golang:1.26-bookworm
services:
  web:
    main: apps/web/server
    dockerfile: docker/web.Dockerfile
    context: .
    image: storefront
    tags: [dev, latest]
    args: {MODE: fast}
    toolchain: golang:1.26-alpine
  plain:
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Settings{
		Project: "shop", ServicesDir: "apps", Source: "https://git.example.com/shop", Registry: "registry.example.com", Toolchain: "golang:1.26-bookworm",
		Services: map[string]ServiceSettings{
			"web": {
				Main: "apps/web/server", Dockerfile: "docker/web.Dockerfile", Context: ".", Image: "storefront", Tags: []string{"dev", "latest"},
				Args: map[string]string{"MODE": "fast"}, Toolchain: "golang:1.26-alpine",
			},
			"plain": {},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestSettingsThatSayNothingAreTheConvention(t *testing.T) {
	for _, data := range []string{"", "\n", "# nothing yet\n", "---\n", "{}\n", "project:\n"} {
		s, err := ParseSettings([]byte(data))
		if err != nil {
			t.Errorf("%q: %v", data, err)
		} else if s.ServicesDir != "services" || s.Project != "" {
			t.Errorf("%q gives %+v", data, s)
		}
	}
}

func TestBadSettingsAreErrorsWithTheirPlace(t *testing.T) {
	for data, want := range map[string]string{
		"projekt: shop\n":                              `slipway.yaml:1: unknown key "projekt": did you mean "project"?`,
		"project: shop\n\nservice_dir: apps\n":         `slipway.yaml:3: unknown key "service_dir": did you mean "services_dir"?`,
		"services:\n  web:\n    docker_file: x\n":      `slipway.yaml:3: unknown key "docker_file": did you mean "dockerfile"?`,
		"services:\n  web:\n    replicas: 3\n":         `slipway.yaml:3: unknown key "replicas": known are main, dockerfile, context, image, tags, args, toolchain`,
		"zzzzzz: 1\n":                                  `slipway.yaml:1: unknown key "zzzzzz": known are project, services_dir, source, registry, toolchain, services, environments, labels, trust`,
		"services_dir: ../other\n":                     `slipway.yaml: services_dir: "../other" is outside the repository: write a path relative to its root`,
		"services_dir: /srv\n":                         `slipway.yaml: services_dir: "/srv" is outside the repository: write a path relative to its root`,
		"services: {web: {main: a/../../b}}\n":         `slipway.yaml: services.web.main: "a/../../b" is outside the repository: write a path relative to its root`,
		"services: {web: {context: .., main: ..}}\n":   `slipway.yaml: services.web.main: ".." is outside the repository: write a path relative to its root`,
		"services: {web: {dockerfile: /Dockerfile}}\n": `slipway.yaml: services.web.dockerfile: "/Dockerfile" is outside the repository: write a path relative to its root`,
		"services: {web: {tags: [\"no tag\"]}}\n":      `slipway.yaml: services.web.tags: "no tag" is no image tag`,
		"services: {Web: {}}\n":                        `slipway.yaml: services: "Web" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`,
	} {
		_, err := ParseSettings([]byte(data))
		says(t, err, want)
	}
}

func TestYAMLErrorsNameTheFileAndLine(t *testing.T) {
	for data, where := range map[string]string{
		"project: [a, b]\n":                "slipway.yaml:1: ",
		"project: x\nservices: [web]\n":    "slipway.yaml:2: ",
		"project: x\n  registry: y\n":      "slipway.yaml:2: ",
		"project: x\nproject: y\n":         "slipway.yaml:2: ",
		"services:\n\tweb: {}\n":           "slipway.yaml:2: ",
		"services: {web: {args: [A=1]}}\n": "slipway.yaml:1: ",
	} {
		_, err := ParseSettings([]byte(data))
		if err == nil || len(err.Error()) <= len(where) || err.Error()[:len(where)] != where {
			t.Errorf("%q: %v, want it to start with %s", data, err, where)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add([]byte("project: shop\nservices: {web: {tags: [dev]}}\n"))
	f.Add([]byte("services: &a {web: *a}\n"))
	f.Add([]byte("- \x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSettings(data)
		if err == nil && s.ServicesDir == "" {
			t.Error("no error, and no services' root")
		}
	})
}
