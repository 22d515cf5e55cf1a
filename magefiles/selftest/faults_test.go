package selftest

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/magefiles/launch"
)

// testFunc finds the tests of a file.
var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(\w+ \*testing\.[TF]\)`)

// Each test that docs/reliability.md names is there, and each fuzz target that is there is named.
func TestFaultsAreProvenByTestsThatAreThere(t *testing.T) {
	home, err := launch.Home()
	if err != nil {
		t.Fatal(err)
	}
	faults, err := faultsOf(home)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) < 50 {
		t.Errorf("the page has %d faults", len(faults))
	}
	there := map[proof]bool{}
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata" || path == filepath.Join(home, "build")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(home, filepath.Dir(path))
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			there[proof{filepath.ToSlash(dir), m[1]}] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := all(faults)
	for _, p := range named {
		if !there[p] {
			t.Errorf("docs/reliability.md names %s of %s, which is not there", p.name, p.dir)
		}
	}
	for p := range there {
		if strings.HasPrefix(p.name, "Fuzz") && !slices.Contains(named, p) {
			t.Errorf("docs/reliability.md does not name %s of %s", p.name, p.dir)
		}
	}
}

func TestReadFaults(t *testing.T) {
	const head = "# Page\n\n| a | b |\n| --- | --- |\n\n## Deploy\n\n| fault | slipway | proven by |\n| --- | --- | --- |\n"
	faults, err := readFaults(head + "| SSH is cut | it waits | `deploy/ssh`: TestB, TestA; `services/ping`: FuzzC |\n\n## Build\n\n| fault | slipway | proven by |\n| --- | --- | --- |\n| kill | x | `deploy/ssh`: TestA |\n")
	if err != nil || len(faults) != 2 || faults[1].section != "Build" {
		t.Fatalf("%+v, %v", faults, err)
	}
	if got := strings.Join(dirs(faults), " ") + " " + strings.Join(namesIn(faults, "deploy/ssh"), " "); got != "deploy/ssh services/ping TestA TestB" {
		t.Errorf("got %s", got)
	}
	if got := fuzzTargets(faults); len(got) != 1 || got[0] != (proof{"services/ping", "FuzzC"}) {
		t.Errorf("got %v", got)
	}
	var out strings.Builder
	failed := show(&out, faults, map[proof]result{{"deploy/ssh", "TestA"}: {"pass", 1500 * time.Millisecond}, {"deploy/ssh", "TestB"}: {"fail", time.Second}})
	const want = `
Deploy
FAIL    2.5s  SSH is cut
               TestB of deploy/ssh FAILED
               FuzzC of services/ping did not run

Build
ok      1.5s  kill

1 of 2 faults are proven
`
	if failed != 1 || out.String() != want {
		t.Errorf("%d failed:\n%s", failed, &out)
	}
	for row, says := range map[string]string{
		"| a | b |":                       "line 10: a row has the fault",
		"| a | b | TestA |":               "is no list of tests",
		"| a | b | `x`: TestA TestB |":    "is no test's name",
		"| a | b | c | `deploy`: TestA |": "4 cells",
	} {
		if _, err := readFaults(head + row + "\n"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", row, err)
		}
	}
	for dir, want := range map[string]string{"services/ping": "services ./ping", "services": "services ./", "deploy/ssh": ". ./deploy/ssh", "tools/buildkitd": "tools/buildkitd ./"} {
		if module, pkg := split(dir); module+" "+pkg != want {
			t.Errorf("%s is %s of %s", dir, pkg, module)
		}
	}
}

// Only what is named runs, and how each ended is known: also of one that failed in a part, was
// skipped, or is not there.
func TestOnlyTheNamedTestsRun(t *testing.T) {
	home := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/faults\n\ngo 1.26\n",
		"a/a_test.go": `package a
import "testing"
func TestGood(t *testing.T) {}
func TestGoodToo(t *testing.T) { panic("it is not named") }
func TestBad(t *testing.T) { t.Run("part", func(t *testing.T) { t.Error("broken") }); t.Run("whole", func(t *testing.T) {}) }
func TestSkipped(t *testing.T) { t.Skip() }
	func FuzzAny(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, n int) {}) }
`,
		"b/b_test.go": "package b\nthis does not compile\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	faults := []fault{{name: "all", tests: []proof{{"a", "TestGood"}, {"a", "TestBad"}, {"a", "TestSkipped"}, {"a", "TestGone"}, {"a", "FuzzAny"}, {"b", "TestB"}}}}
	results := map[proof]result{}
	for _, dir := range dirs(faults) {
		if err := testOnly(home, dir, faults, results); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for p, r := range results {
		got[p.name] = r.state
	}
	if want := map[string]string{"TestGood": "pass", "TestBad": "fail", "TestSkipped": "skip", "FuzzAny": "pass"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
