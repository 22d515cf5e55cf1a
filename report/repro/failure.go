package repro

import (
	"fmt"
	"slices"
	"strings"

	"slipway/report"
)

// compareFailures compares two failures of one step. The same failure has the same exit status
// and the same findings at the same places; what a test printed beside may differ.
func (c *Comparison) compareFailures(r, n Step) {
	then, here := r.Failure, n.Failure
	switch {
	case then.Exit != here.Exit:
		c.differs("%s fails with exit status %d, and then did with %d: %s", n.Name, here.Exit, then.Exit, here.text())
	case len(then.Findings)+len(here.Findings) > 0:
		c.compareFindings(n.Name, *then, *here)
	case plain(then.Message) != plain(here.Message) || then.File != here.File || then.Line != here.Line:
		c.differs("%s fails otherwise here: %s\nthen: %s", n.Name, here.text(), then.text())
	default:
		c.reproduced("%s", here.text())
		c.compareText("what "+n.Name+" printed", then.Log, here.Log)
	}
}

func (c *Comparison) compareFindings(name string, then, here Failure) {
	gone, added := missing(then.Findings, here.Findings), missing(here.Findings, then.Findings)
	if len(gone)+len(added) == 0 {
		c.reproduced("%s", here.text())
		for _, h := range here.Findings {
			i := slices.IndexFunc(then.Findings, func(t report.Finding) bool { return key(t) == key(h) && plain(t.Text) == plain(h.Text) })
			if i < 0 {
				i = slices.IndexFunc(then.Findings, func(t report.Finding) bool { return key(t) == key(h) })
				c.compareText(fmt.Sprintf("what %s says at %s", name, place(h)), then.Findings[i].Text, h.Text)
			}
		}
		return
	}
	text := name + " fails as it did then, with other findings"
	for _, f := range gone {
		text += "\nonly then: " + f.String()
	}
	for _, f := range added {
		text += "\nonly here: " + f.String()
	}
	c.differs("%s", text)
}

// missing are the findings of a that b does not have.
func missing(a, b []report.Finding) (out []report.Finding) {
	for _, f := range a {
		if !slices.ContainsFunc(b, func(g report.Finding) bool { return key(f) == key(g) }) {
			out = append(out, f)
		}
	}
	return out
}

// key is what makes two findings the same: their place, else the test or the words.
func key(f report.Finding) string {
	if f.File != "" && f.Line > 0 {
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	name, _, _ := strings.Cut(f.Text, ": ")
	return f.File + ":" + plain(name)
}

func place(f report.Finding) string {
	if f.File == "" {
		return "no place"
	}
	return key(f)
}

// text is a failure in a few lines.
func (f *Failure) text() string {
	if f == nil {
		return "no reason is recorded"
	}
	lines := []string{f.Message}
	for i, one := range f.Findings {
		if i == 10 {
			lines = append(lines, fmt.Sprintf("… and %d more", len(f.Findings)-i))
			break
		}
		lines = append(lines, one.String())
	}
	if len(f.Findings) == 0 && f.File != "" {
		lines = append(lines, report.Finding{File: f.File, Line: f.Line, Text: "here"}.String())
	}
	return strings.Join(lines, "\n")
}
