package manifest_test

import (
	"os"
	"strings"
	"testing"

	"slipway/deploy/manifest"
)

// Whatever the files hold, loading ends with a manifest or with an error that names a file.
func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile("testdata/findings.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		_, rest, _ := strings.Cut(block, "\n")
		content, _, _ := strings.Cut(rest, "\n---\n")
		first, second, _ := strings.Cut(content, "\n+++\n")
		f.Add(first, second)
	}
	for _, hard := range []string{
		"services: &a {web: *a}", "services: {web: {image: a, ulimits: {nofile: {soft: x, hard: 1.5}}}}",
		"a: &a [1]\nb: &b [*a,*a,*a]\nservices: {web: {image: x, x-b: [*b,*b]}}", "services: {web: {image: a, ports: [{target: 1.5}]}}",
		"services: !reset\n  web: {}", "services: {web: {<<: [1], image: a}}", "? [a]\n: b", "services: {web: {image: \"${A:-${A:-${\"}}",
		"services: {web: {image: a, deploy: {resources: {limits: {cpus: 1e999999999}}}}}", "services: {web: null}", "services: {web: {image: a, healthcheck: {test: [1]}}}",
	} {
		f.Add(hard, "services: {web: {image: b}}")
		f.Add("services: {web: {image: b}}", hard)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		o := options(first)
		if second != "" {
			o = options(first, second)
		}
		m, found := manifest.Load(o)
		if (m == nil) != (found.Err() != nil) {
			t.Fatalf("a manifest: %t, findings:\n%s", m != nil, found)
		}
		for _, one := range found {
			if one.File == "" || one.Message == "" {
				t.Errorf("a finding without a file or a message: %+v", one)
			}
		}
	})
}
