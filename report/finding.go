// Package report turns what checks leave behind into what people read.
package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Finding is one thing that a check found, with its place in the repository.
type Finding struct {
	File string // relative to the repository, "" where not known
	Line int
	Text string // may have several lines
}

// String is "services/ping/main.go:12: text".
func (f Finding) String() string {
	switch {
	case f.File == "":
		return f.Text
	case f.Line == 0:
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// Module says how packages map to directories of the repository.
type Module struct{ Path, Dir string }

// dir is a package's directory in the repository.
func (m Module) dir(importPath string) string {
	importPath, _, _ = strings.Cut(importPath, " ") // "pkg [pkg.test]"
	importPath = strings.TrimSuffix(strings.TrimSuffix(importPath, ".test"), "_test")
	return path.Join(m.Dir, strings.TrimPrefix(strings.TrimPrefix(importPath, m.Path), "/"))
}

// containerRoot is where the repository lies while checks run.
const containerRoot = "/src/"

// place is a file and line at the start of a line of output, as Go's tools write them.
var place = regexp.MustCompile(`^\s*(?:vet: )?((?:/|\./|\.\./)?[\w@.+~/-]+\.\w+):(\d+)(?::\d+)?(?:: (.*)|( \+0x[0-9a-f]+)?)$`)

// inRepo turns a path of some output into one of the repository; base is the directory
// that relative ones are relative to.
func inRepo(p, base string) (string, bool) {
	if rest, ok := strings.CutPrefix(p, containerRoot); ok {
		return rest, true
	}
	if path.IsAbs(p) {
		return "", false
	}
	return path.Join(base, p), true
}

// FromOutput finds the places that a compiler's output names. base is the directory that
// it ran in, relative to the repository.
func FromOutput(log, base string) []Finding {
	var out []Finding
	for _, line := range strings.Split(log, "\n") {
		m := place.FindStringSubmatch(line)
		if m == nil || m[3] == "" {
			continue
		}
		if file, ok := inRepo(m[1], base); ok {
			n, _ := strconv.Atoi(m[2])
			out = append(out, Finding{File: file, Line: n, Text: m[3]})
		}
	}
	return out
}

// FromCodeClimate reads lint findings in the Code Climate format, which GitLab's code
// quality reports share ("Code Quality", GitLab's documentation). base is the directory
// that the linter ran in, relative to the repository.
func FromCodeClimate(data []byte, base string) ([]Finding, error) {
	var issues []struct {
		Description string `json:"description"`
		CheckName   string `json:"check_name"`
		Location    struct {
			Path  string `json:"path"`
			Lines struct {
				Begin int `json:"begin"`
			} `json:"lines"`
		} `json:"location"`
	}
	if err := json.Unmarshal(data, &issues); err != nil {
		return nil, fmt.Errorf("the lint report is damaged: %w", err)
	}
	var out []Finding
	for _, i := range issues {
		// Code that does not compile is put at the package's first line, and the
		// compiler's own places are in the description.
		if list := FromOutput(i.Description, base); i.CheckName == "typecheck" && len(list) > 0 {
			out = append(out, list...)
			continue
		}
		file, _ := inRepo(i.Location.Path, ".")
		text := strings.TrimPrefix(i.Description, i.CheckName+": ") // golangci-lint's own form
		out = append(out, Finding{File: file, Line: i.Location.Lines.Begin, Text: text + " (" + i.CheckName + ")"})
	}
	return out, nil
}

// testEvent is a line of `go test -json` (go doc test2json).
type testEvent struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

// FromTests reads `go test -json` and returns the failures: each failed test with what it
// printed, and each package that did not compile or ended outside a test.
func FromTests(data []byte, m Module) []Finding {
	output := map[[2]string]*strings.Builder{}
	broken := map[[2]string]bool{}
	compiling := map[[2]string]bool{}
	var failed [][2]string
	for sc := lines(data); sc.Scan(); {
		var e testEvent
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			continue
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "build-output":
			key = [2]string{e.ImportPath, ""}
			compiling[key] = true
			fallthrough
		case "output":
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
		case "build-fail":
			failed = append(failed, [2]string{e.ImportPath, ""})
		case "fail":
			if e.FailedBuild != "" {
				continue // build-fail says it
			}
			failed = append(failed, key)
			broken[[2]string{e.Package, ""}] = broken[[2]string{e.Package, ""}] || e.Test != ""
			if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
				broken[[2]string{e.Package, e.Test[:i]}] = true // its subtest says it
			}
		}
	}
	var out []Finding
	for _, key := range failed {
		if broken[key] || output[key] == nil {
			continue
		}
		dir := m.dir(key[0])
		base := dir
		if compiling[key] {
			base = m.Dir // the compiler names files relative to where it ran
		}
		out = append(out, testFinding(key[1], output[key].String(), dir, base))
	}
	return out
}

// noise are lines of a test's output that say nothing about why it failed.
var noise = regexp.MustCompile(`^\s*(=== (RUN|PAUSE|CONT|NAME)\b.*|--- (FAIL|PASS): .*|FAIL|PASS|ok\s.*|FAIL\s.*|coverage: .*|exit status \d+|# .*)$`)

// testFinding makes a finding of what a test printed. base is what relative paths in the
// output are relative to.
func testFinding(test, log, dir, base string) Finding {
	f := Finding{File: dir}
	var text []string
	for _, line := range strings.Split(strings.TrimRight(log, "\n"), "\n") {
		if noise.MatchString(line) || line == "" {
			continue
		}
		if m := place.FindStringSubmatch(line); m != nil && f.Line == 0 {
			if file, ok := inRepo(m[1], base); ok {
				f.File = file
				f.Line, _ = strconv.Atoi(m[2])
				if line = m[3]; line == "" {
					continue
				}
			}
		}
		text = append(text, strings.TrimSpace(line))
	}
	const most = 40
	if len(text) > most {
		text = append(text[:most], "…")
	}
	f.Text = strings.Join(text, "\n    ")
	if test != "" {
		f.Text = test + ": " + f.Text
	}
	return f
}

func lines(data []byte) *bufio.Scanner {
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 16<<20)
	return sc
}
