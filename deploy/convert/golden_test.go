package convert_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/deploy/convert"
	"slipway/deploy/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T) *manifest.Manifest {
	t.Helper()
	return subject{dir: "testdata/golden", file: "compose.yaml", env: "test", vars: map[string]string{
		"GREETING": "hello", "KEY": "top secret",
	}}.load(t)
}

var digests = map[string]string{
	"example/web:1.0": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
	"example/migrate": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
}

// What docker's converter has no word for is written down here.
func TestGolden(t *testing.T) {
	stack, err := convert.Convert(golden(t), convert.Options{Digests: digests, API: "1.52"})
	if err != nil {
		t.Fatal(err)
	}
	got := toJSON(t, stack) + "\n"
	file := filepath.Join("testdata", "golden", "stack.json")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("(- golden, + now):\n%s", diff)
	}
}
