package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Severity says whether a deploy goes on.
type Severity string

// Error stops a deploy before it starts; Warning does not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing wrong with a manifest.
type Finding struct {
	Severity Severity `json:"severity"`
	// File is as Options.Files has it; Line is 0 where it is about the file as a whole.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Path is the place in the model: "services.web.ports".
	Path string `json:"path,omitempty"`
	// Message says what is wrong, and Do what to do about it.
	Message string `json:"message"`
	Do      string `json:"do,omitempty"`
}

// String is "manifests/docker-compose.dev.yaml:12: error: services.web.privileged: message; what to do".
func (f Finding) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteString(": ")
	}
	b.WriteString(string(f.Severity) + ": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	if f.Do != "" {
		b.WriteString("; " + f.Do)
	}
	return b.String()
}

// Findings are sorted by file and line.
type Findings []Finding

// String has one finding a line.
func (f Findings) String() string {
	var b strings.Builder
	for _, one := range f {
		b.WriteString(one.String() + "\n")
	}
	return b.String()
}

// Err joins the errors among the findings, nil where there is none.
func (f Findings) Err() error {
	var lines []string
	for _, one := range f {
		if one.Severity == Error {
			lines = append(lines, one.String())
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Warnings are those that do not stop a deploy.
func (f Findings) Warnings() Findings {
	return slices.DeleteFunc(slices.Clone(f), func(one Finding) bool { return one.Severity == Error })
}

// clean sorts, drops what is said twice, and shows what would not print as it is written in Go:
// names and values are the manifest's, and a terminal takes orders from some.
func (f Findings) clean() Findings {
	for i := range f {
		for _, text := range []*string{&f[i].File, &f[i].Path, &f[i].Message, &f[i].Do} {
			*text = visible(*text)
		}
	}
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(f)
}

// add reports something at the place of a path of the model.
func (l *loader) add(s Severity, at []string, do, format string, args ...any) {
	file, line := l.places.find(at...)
	l.addAt(s, file, line, at, do, format, args...)
}

func (l *loader) addAt(s Severity, file string, line int, at []string, do, format string, args ...any) {
	l.found = append(l.found, Finding{
		Severity: s, File: file, Line: line, Path: pathText(at),
		Message: fmt.Sprintf(format, args...), Do: do,
	})
}

// elsewhere drops findings on lines that others have an error on: what is wrong there may be
// due to that error.
func (f Findings) elsewhere(others Findings) Findings {
	return slices.DeleteFunc(slices.Clone(f), func(one Finding) bool {
		return slices.ContainsFunc(others, func(o Finding) bool {
			return o.Severity == Error && o.File == one.File && o.Line == one.Line
		})
	})
}

func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
