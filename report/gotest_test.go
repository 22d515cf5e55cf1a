package report

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

var checks = Module{Path: "example.com/checks", Dir: "services/checks"}

// goTest runs the real `go test -json` on packages of testdata/checks, laid out as they are
// in a check's container.
func goTest(t *testing.T, args ...string) []byte {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(root, filepath.FromSlash(checks.Dir))
	if err := os.CopyFS(module, os.DirFS(filepath.Join("testdata", "checks"))); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(module, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Rename(p, strings.TrimSuffix(p, ".txt"))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		t.Fatalf("go test should have failed: %v", err)
	}
	return []byte(strings.ReplaceAll(string(out), root, strings.TrimSuffix(containerRoot, "/")))
}

// told are the findings as a person reads them, in an order that does not depend on which
// package was tested first, without what differs from run to run.
func told(list []Finding) string {
	var out []string
	for _, f := range list {
		s := regexp.MustCompile(`0x[0-9a-f]+\??`).ReplaceAllString(f.String(), "0x0")
		out = append(out, regexp.MustCompile(`goroutine \d+`).ReplaceAllString(s, "goroutine N"))
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

func TestFindingsOfGoTest(t *testing.T) {
	for _, c := range []struct {
		about string
		args  []string
		want  string
	}{
		{"failures, each at its place with what it printed", []string{"./errorf"}, `
services/checks/errorf/e_test.go:19: TestHelped: no answer
services/checks/errorf/e_test.go:8: TestSum: adding
    e_test.go:9: 1 + 1 is 3,
    want 2
    e_test.go:10: and more`},
		{"subtests speak for their test, which speaks where it failed itself", []string{"./sub"}, `
services/checks/sub/s_test.go:10: TestTable/bad_one: bad one is not good
services/checks/sub/s_test.go:10: TestTable/worse: worse is not good
services/checks/sub/s_test.go:18: TestParentFailsItself: the parent
services/checks/sub/s_test.go:22: TestBoth/inner: the inner one
services/checks/sub/s_test.go:23: TestBoth: the outer one`},
		{"a panic, with the frames that are the repository's", []string{"./panics"}, `
services/checks/panics/p.go:4: TestFirst: panic: runtime error: index out of range [0] with length 0 [recovered, repanicked]
    example.com/checks/panics.First(...)
    services/checks/panics/p.go:4
    example.com/checks/panics.TestFirst(0x0)
    services/checks/panics/p_test.go:8`},
		{"a package that does not compile", []string{"./nocompile"}, `
services/checks/nocompile/n.go:5: too many return values
    have (number, string)
    want (int)`},
		{"tests that do not compile, every error", []string{"./notestcompile"}, `
services/checks/notestcompile/n_test.go:6: undefined: undefined
services/checks/notestcompile/n_test.go:7: declared and not used: unused`},
		{"an import of nothing", []string{"./badimport"}, `
services/checks/badimport/b.go:3: no required module provides package example.org/nowhere; to add it:
    go get example.org/nowhere`},
		{"TestMain that ends the process", []string{"./exits"}, `
services/checks/exits: no database at localhost:5432`},
		{"a test that ends the process", []string{"./leftover"}, `
services/checks/leftover/l_test.go:9: TestLeaves: leaving
    the test's process ended before the test did: it called os.Exit, or was killed`},
	} {
		t.Run(c.about, func(t *testing.T) {
			if got := told(FromTests(goTest(t, c.args...), checks)); got != c.want[1:] {
				t.Errorf("got\n%s\nwant\n%s", got, c.want[1:])
			}
		})
	}
}

// In what order the goroutines are printed is the runtime's affair.
func TestATimeoutNamesTheTestThatWaits(t *testing.T) {
	list := FromTests(goTest(t, "-timeout=200ms", "./stuck"), checks)
	if len(list) != 1 {
		t.Fatalf("there are %d findings:\n%s", len(list), told(list))
	}
	if f := list[0]; f.File != "services/checks/stuck/s_test.go" || !strings.HasPrefix(f.Text, "TestTable/waits: panic: test timed out after 200ms\n") ||
		!strings.Contains(f.Text, "\n    example.com/checks/stuck.TestTable.func1(") || !strings.Contains(f.Text, "\n    services/checks/stuck/s_test.go:7") || strings.Contains(f.Text, "testing.go") {
		t.Errorf("the finding is %s", f)
	}
}

// Recorded with `go test -race -json`, since it needs a C compiler.
func TestFindingsOfTheRaceDetector(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "race.json"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `services/checks/race/r_test.go:8: TestRace: WARNING: DATA RACE
    Read at 0x0 by goroutine N:
    example.com/checks/race.TestRace.func1()
    services/checks/race/r_test.go:8
    Previous write at 0x0 by goroutine N:
    example.com/checks/race.TestRace()
    services/checks/race/r_test.go:11
    Goroutine 9 (running) created at:
    example.com/checks/race.TestRace()
    services/checks/race/r_test.go:7
    Goroutine 8 (running) created at:
    testing.go:1712: race detected during execution of test`
	if got := told(FromTests(data, checks)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDamagedTestOutputIsReadAsFarAsItGoes(t *testing.T) {
	data := "not json\n" + `{"Action":"output","Package":"example.com/checks/a","Test":"TestA","Output":"    a_test.go:3: bad\n"}` + "\n" +
		`{"Action":"fail","Package":"example.com/checks/a","Test":"TestA"}` + "\n" + `{"Action":"fa`
	if got, want := told(FromTests([]byte(data), checks)), "services/checks/a/a_test.go:3: TestA: bad"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := FromTests(nil, checks); len(got) != 0 {
		t.Errorf("nothing gives %v", got)
	}
}

func FuzzFromTests(f *testing.F) {
	f.Add([]byte(`{"Action":"run","Package":"p","Test":"T/a/"}` + "\n" + `{"Action":"output","Package":"p","Test":"T","Output":"\t/usr/x.go:1 +0x1\n"}` + "\n" + `{"Action":"fail","Package":"p"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, finding := range FromTests(data, checks) {
			if finding.String() == "" {
				t.Error("an empty finding")
			}
		}
	})
}
