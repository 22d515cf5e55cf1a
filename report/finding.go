// Package report turns what checks leave behind into what people read.
package report

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"slipway/report/foreign"
)

// Finding is one thing that a check found, with its place in the repository.
type Finding struct {
	File string `json:"file,omitempty"` // relative to the repository, "" where not known
	Line int    `json:"line,omitempty"`
	Text string `json:"text"` // may have several lines
}

// String is "services/ping/main.go:12: text", with nothing in it that a terminal would obey: the
// text is what somebody's test has written.
func (f Finding) String() string {
	switch {
	case f.File == "":
		return foreign.Plain(f.Text)
	case f.Line == 0:
		return foreign.Plain(f.File + ": " + f.Text)
	}
	return foreign.Plain(fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text))
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
	if path.IsAbs(p) || p == "testing.go" || p == "_testmain.go" { // Go's own test harness
		return "", false
	}
	return path.Join(base, p), true
}

// FromOutput finds the places that a compiler's output names. base is the directory that
// it ran in, relative to the repository.
func FromOutput(log, base string) []Finding {
	var out []Finding
	open := false // the line before belongs to the last finding
	for _, line := range strings.Split(log, "\n") {
		m := place.FindStringSubmatch(line)
		if m == nil || m[3] == "" {
			// The compiler's second lines begin with a tab: "\thave (int)".
			if open = open && strings.HasPrefix(line, "\t"); open {
				out[len(out)-1].Text += "\n    " + strings.TrimSpace(line)
			}
			continue
		}
		open = false
		if file, ok := inRepo(m[1], base); ok {
			n, _ := strconv.Atoi(m[2])
			out = append(out, Finding{File: file, Line: n, Text: m[3]})
			open = true
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
