package fit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The generated code fits the module: `dagger develop` was run after the last change of a
// function's name or arguments.
func TestTheGeneratedCodeFitsTheModule(t *testing.T) {
	compare(t, "..", nil)
}

// A function that is added, renamed, removed, or has another argument is found.
func TestWhatDoesNotFitIsFound(t *testing.T) {
	for name, edit := range map[string]struct{ from, to, want string }{
		"a new function":     {"// Publish builds", "// Fresh is new.\nfunc (m *Slipway) Fresh() string { return \"\" }\n\n// Publish builds", "Slipway.Fresh"},
		"a renamed function": {") BuildAll(", ") BuildEach(", "Slipway.BuildEach"},
		"another argument":   {"\tservice string,\n", "\tservice []string,\n", "Slipway.Build"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files, err := filepath.Glob("../*.go")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if filepath.Base(f) == "build.go" {
					edited := strings.ReplaceAll(string(data), edit.from, edit.to)
					if edited == string(data) {
						t.Fatalf("%s has no %q", f, edit.from)
					}
					data = []byte(edited)
				}
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			compare(t, dir, []string{edit.want})
		})
	}
}

// compare wants the generated code of dir to differ from its source in these alone, at least.
func compare(t *testing.T, dir string, want []string) {
	t.Helper()
	source, err := Source(dir, "Slipway")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := Calls(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(source) < 10 {
		t.Fatalf("the source has only %v", source)
	}
	var differ []string
	for _, key := range slices.Sorted(maps.Keys(source)) {
		was, there := calls[key]
		if !there && !strings.Contains(key, ".") && key != "Slipway" {
			continue // a type without code of its own
		}
		if !there || was != source[key] {
			differ = append(differ, key)
			if len(want) == 0 {
				t.Errorf("%s(%s) is (%s) in %s, there: %v. Run `dagger develop` and commit what it writes", key, source[key], was, Generated, there)
			}
		}
	}
	for key := range calls {
		if _, there := source[key]; !there && len(want) == 0 {
			t.Errorf("%s calls %s, which the source does not have. Run `dagger develop` and commit what it writes", Generated, key)
		}
	}
	for _, w := range want {
		if !slices.Contains(differ, w) {
			t.Errorf("%s is not found to differ; found: %v", w, differ)
		}
	}
}
