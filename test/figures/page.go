package figures

import (
	"fmt"
	"slices"
	"strings"
)

// Machine is where figures were measured.
type Machine struct {
	When, Commit, CPU string
	Cores             int
	MemoryMB          int
	Versions          []string // "Go 1.26.8", "Docker 20.10.24", "Linux 6.1"
}

// Page is docs/performance.md.
func Page(m Machine, all []Figure) string {
	var out strings.Builder
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) }
	p("# Performance\n")
	p("Measured by `go tool mage self:bench`, which writes this page: %s, commit %s.", m.When, m.Commit)
	p("The machine: %s, %d cores, %d MB; %s.\n", m.CPU, m.Cores, m.MemoryMB, strings.Join(m.Versions, ", "))
	p("Slipway and its peer took turns. Each figure is the median of a number of runs (n), with minimum and maximum.")
	p("A bound is on the ratio of the medians, or on slipway's own figure where there is no peer.\n")
	p("| work | slipway | beside | ratio | bound | held |")
	p("| --- | --- | --- | --- | --- | --- |")
	for i := range all {
		f := &all[i]
		ratio, beside := "–", "–"
		if f.Beside.Name != "" {
			beside = f.Beside.Name
			if len(f.Beside.Values) > 0 {
				ratio, beside = fmt.Sprintf("%.3g", f.Ratio()), f.Beside.show(f.Unit)+" ("+f.Beside.Name+")"
			}
		}
		p("| %s | %s | %s | %s | %s | %s |", f.Work, f.Ours.show(f.Unit), beside, ratio, f.bound(), f.held())
	}
	p("\n## What was run\n")
	for i := range all {
		f := &all[i]
		p("* **%s**: `%s`%s%s", f.Work, f.Ours.Command, command(", beside `", f.Beside.Command), note(f.Note))
	}
	return out.String()
}

func (s *Sample) show(unit string) string {
	if len(s.Values) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s…%s, n=%d)", amount(s.Median(), unit), amount(slices.Min(s.Values), ""), amount(slices.Max(s.Values), unit), len(s.Values))
}

func amount(v float64, unit string) string {
	text := fmt.Sprintf("%.0f", v)
	if v < 100 {
		text = fmt.Sprintf("%.3g", v)
	}
	if unit == "" {
		return text
	}
	return text + " " + unit
}

func (f *Figure) bound() string {
	switch {
	case f.AtMost == 0:
		return "–"
	case f.Beside.Name != "":
		return fmt.Sprintf("%.3g×", f.AtMost)
	}
	return amount(f.AtMost, f.Unit)
}

// held says whether the bound is, which a peer that is not there leaves open.
func (f *Figure) held() string {
	switch {
	case f.AtMost == 0:
		return "–"
	case f.Beside.Name != "" && len(f.Beside.Values) == 0:
		return "not measured"
	case f.Measured() <= f.AtMost:
		return "yes"
	}
	return "**no**"
}

func command(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text + "`"
}

func note(text string) string {
	if text == "" {
		return ""
	}
	return ". " + text
}
