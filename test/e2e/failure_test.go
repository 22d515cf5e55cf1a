package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAFailureIsLastOnTheScreenAndRepeats(t *testing.T) {
	const failingTest = `package main

import "testing"

func TestSum(t *testing.T) {
	t.Run("small", func(t *testing.T) {
		if got := 1 + 1; got != 3 {
			t.Errorf("1 + 1 is %d, want 3", got)
		}
	})
}
`
	for _, test := range []struct {
		name, path, content string
		ends                string // of stderr
		steps               string // that the repeating command runs
	}{
		{"test", "services/alpha/sum_test.go", failingTest, `
✗ test alpha failed with exit status 1

services/alpha/sum_test.go:8: TestSum/small: 1 + 1 is 2, want 3

Repeat only this: go tool mage build:test alpha
`, "build alpha, test alpha"},
		{"panic", "services/alpha/boom_test.go", "package main\n\nimport \"testing\"\n\nfunc TestBoom(t *testing.T) {\n\tpanic(\"boom\")\n}\n", `
✗ test alpha failed with exit status 1

services/alpha/boom_test.go:6: TestBoom: panic: boom [recovered, repanicked]
…

Repeat only this: go tool mage build:test alpha
`, "build alpha, test alpha"},
		{"test that does not compile", "services/alpha/sum_test.go", "package main\n\nimport \"testing\"\n\nfunc TestNo(t *testing.T) { nowhere() }\n", `
✗ lint alpha failed with exit status 1

services/alpha/sum_test.go:5: undefined: nowhere

Repeat only this: go tool mage build:lint alpha

✗ test alpha failed with exit status 1

services/alpha/sum_test.go:5: undefined: nowhere

Repeat only this: go tool mage build:test alpha
`, "build alpha, lint alpha"},
		{"lint", "services/alpha/extra.go", "package main\n\nimport \"os\"\n\nfunc init() {\n\tos.Remove(\"x\")\n}\n", `
✗ lint alpha failed with exit status 1

services/alpha/extra.go:6: Error return value of ` + "`os.Remove`" + ` is not checked (errcheck)

Repeat only this: go tool mage build:lint alpha
`, "build alpha, lint alpha"},
		{"compile", "services/alpha/extra.go", "package main\n\nvar x int = \"text\"\n\nvar y = nowhere\n", `
✗ build alpha failed with exit status 1

services/alpha/extra.go:3: cannot use "text" (untyped string constant) as int value in variable declaration
services/alpha/extra.go:5: undefined: nowhere

Repeat only this: go tool mage build:service alpha
`, ""},
		{"syntax", "services/alpha/extra.go", "package main\n\nfunc {\n", `
✗ build alpha failed with exit status 1

services/alpha/extra.go:3: syntax error: unexpected {, expected name or (

Repeat only this: go tool mage build:service alpha
`, ""},
		{"import", "services/alpha/extra.go", "package main\n\nimport _ \"sample/nowhere\"\n", `
✗ build alpha failed with exit status 1

services/alpha/extra.go:3: package sample/nowhere is not in std (/usr/local/go/src/sample/nowhere)

Repeat only this: go tool mage build:service alpha
`, ""},
		{"shared", "services/greet/extra_test.go", "package greet\n\nimport \"testing\"\n\nfunc TestNever(t *testing.T) { t.Fatal(\"never\") }\n", `
✗ test alpha failed with exit status 1

services/greet/extra_test.go:5: TestNever: never

Repeat only this: go tool mage build:test alpha
`, "build alpha, test alpha"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := sample(t, "alpha")
			r.Write(test.path, test.content)
			r.Commit("Break it", later(1))
			first := in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 1)
			if !endsWith(first.Stderr, test.ends) || first.Stdout != "" {
				t.Fatalf("stdout is %q, and stderr ends\n%s, want\n%s", first.Stdout, end(first.Stderr), test.ends)
			}
			if _, err := os.Stat(file(r, "build/alpha.oci")); err == nil {
				t.Error("what failed was packed into an image")
			}
			// Of two failures, the command of the first is about the first alone.
			want, _, _ := strings.Cut(strings.TrimPrefix(test.ends, "\n✗"), "\n✗")
			_, command, _ := strings.Cut(first.Stderr, "Repeat only this: go tool mage ")
			command, _, _ = strings.Cut(command, "\n")
			second := in(r.Dir).slipway(t, strings.Fields(command)...).Exits(t, 1)
			if want = "\n\n✗" + strings.TrimSuffix(want, "\n") + "\n"; !endsWith(second.Stderr, want) {
				t.Errorf("repeated, stderr ends\n%s, want\n%s", end(second.Stderr), want)
			}
			if test.steps != "" && repeated(t, readRecord(t, r)) != test.steps {
				t.Errorf("repeating ran %s, want %s", repeated(t, readRecord(t, r)), test.steps)
			}
		})
	}
}

// endsWith says whether text ends as wanted; a line "…" in that stands for any lines.
func endsWith(text, want string) bool {
	before, after, cut := strings.Cut(want, "…\n")
	if !cut {
		return strings.HasSuffix(text, want)
	}
	return strings.Contains(text, before) && strings.HasSuffix(text, after)
}

// end is the end of an output.
func end(s string) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-25):], "\n")
}

// repeated names the service's own steps of a run.
func repeated(t *testing.T, rec record) string {
	t.Helper()
	var names []string
	for name := range rec.states(t, "alpha") {
		if strings.HasSuffix(name, " alpha") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func TestAllFailuresAreNamed(t *testing.T) {
	r := sample(t, "alpha", "beta", "gamma")
	r.Write("services/alpha/extra_test.go", "package main\n\nimport \"testing\"\n\nfunc TestNever(t *testing.T) { t.Fatal(\"never\") }\n")
	r.Write("services/beta/extra.go", "package main\n\nvar y = nowhere\n")
	r.Commit("Break two of three", later(1))
	got := in(r.Dir).slipway(t, "build:all").Exits(t, 1)
	img, _ := image(t, r, "gamma")
	if want := "gamma 20240725_" + r.Git("rev-parse", "HEAD^")[:8] + " " + digest(t, img) + "\n"; got.Stdout != want {
		t.Errorf("stdout is\n%s, want\n%s", got.Stdout, want)
	}
	if want := `
✗ test alpha failed with exit status 1

services/alpha/extra_test.go:5: TestNever: never

Repeat only this: go tool mage build:test alpha

✗ build beta failed with exit status 1

services/beta/extra.go:3: undefined: nowhere

Repeat only this: go tool mage build:service beta
`; !strings.HasSuffix(got.Stderr, want) {
		t.Errorf("stderr ends\n%s, want\n%s", end(got.Stderr), want)
	}
	rec := readRecord(t, r)
	if rec.OK {
		t.Error("build/run.json says that all is well")
	}
	if states := rec.states(t, "beta"); states["build beta"] != "failed" || states["test beta"] != "skipped" || states["image beta"] != "skipped" {
		t.Errorf("beta: %v", states)
	}
	j := readJUnit(t, r, "alpha")
	if j.Tests != 3 || j.Failures != 1 {
		t.Errorf("the JUnit report of the failed tests has %d tests and %d failures", j.Tests, j.Failures)
	}
	for _, built := range []string{"alpha.oci", "beta.oci", "beta"} {
		if _, err := os.Stat(file(r, "build/"+built)); err == nil {
			t.Errorf("build/%s is there", built)
		}
	}
}

// A failure may have been the network's, so it is never taken from the cache; a success is.
func TestAFailedTestRunsAgainAndAPassedOneDoesNot(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	r := sample(t, "alpha")
	r.Write("services/alpha/flaky_test.go", fmt.Sprintf(askGo, server.Listener.Addr(), rand.Text()))
	r.Commit("Depend on the network", later(1))
	for i, want := range []int{1, 1, 0, 0} {
		got := in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, want)
		if want == 1 && !endsWith(got.Stderr, "\nservices/alpha/flaky_test.go:21: TestAsk: HTTP/1.0 503 Service Unavailable\n\nRepeat only this: go tool mage build:test alpha\n") {
			t.Errorf("run %d: stderr ends\n%s", i+1, end(got.Stderr))
		}
		if n := asked.Load(); n != min(int32(i)+1, 3) {
			t.Errorf("after run %d the server was asked %d times", i+1, n)
		}
	}
}

func TestFindingsAreInTheCodeQualityReport(t *testing.T) {
	r := sample(t, "alpha")
	r.Write("services/alpha/extra.go", "package main\n\nimport \"os\"\n\nfunc init() {\n\tos.Remove(\"x\")\n}\n")
	r.Commit("Ignore an error", later(1))
	in(r.Dir).slipway(t, "build:lint", "alpha").Exits(t, 1)
	// The fields that GitLab needs (Code Quality, "Code quality report format").
	var quality []struct {
		Description, Fingerprint, Severity string

		CheckName string `json:"check_name"`
		Location  struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	must(t, json.Unmarshal([]byte(read(t, file(r, "build/reports/alpha.codequality.json"))), &quality))
	if len(quality) != 1 {
		t.Fatalf("code quality: %+v", quality)
	}
	if q := quality[0]; q.Location.Path != "services/alpha/extra.go" || q.Location.Lines.Begin != 6 || q.CheckName != "errcheck" || q.Fingerprint == "" || q.Severity == "" {
		t.Errorf("code quality: %+v", q)
	}
}
