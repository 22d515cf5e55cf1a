package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/deploy/manifest"
)

// bomb is a manifest of a few lines that names 9¹² values.
func bomb() string {
	text := "x-a0: &a0 [boom]\n"
	for i := 1; i <= 12; i++ {
		text += fmt.Sprintf("x-a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return text + "services: {web: {image: a, command: *a12}}\n"
}

func TestAliasesAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"aliases of aliases": {bomb(), "manifests/m.yaml: error: its aliases unfold to more than 200000 values; write it with fewer aliases"},
		"merge keys":         {strings.NewReplacer("[", "{<<: [", "]", "]}", "{<<: [boom]}", "{a: b}").Replace(bomb()), "its aliases unfold"},
		"an alias in itself": {"services: &a {web: {image: a, x-b: *a}}\n", "manifests/m.yaml"},
	} {
		if err := manifest.Lint(options(c.text)).Err(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
