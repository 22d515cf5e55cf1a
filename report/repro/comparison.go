package repro

import (
	"fmt"
	"strings"
)

// Comparison is what a repetition has shown.
type Comparison struct {
	Reproduced []string // failures that came again
	Same       []string // what went well again
	Differs    []string
	Left       []string // what was not repeated, though the run failed there
	Notes      []string // texts that differ and prove nothing
	// Why are the circumstances that differ: what may have made the difference.
	Why []string
}

// Holds tells whether the repetition behaved as recorded.
func (c Comparison) Holds() bool { return len(c.Differs)+len(c.Left) == 0 }

// String is for people: the last lines that they read.
func (c Comparison) String() string {
	var b strings.Builder
	lines := func(label string, texts []string) {
		for _, t := range texts {
			fmt.Fprintf(&b, "%s: %s\n", label, strings.ReplaceAll(t, "\n", "\n    "))
		}
	}
	lines("same", c.Same)
	lines("reproduced", c.Reproduced)
	lines("note", c.Notes)
	lines("not repeated", c.Left)
	lines("differs", c.Differs)
	label := "also different"
	if !c.Holds() {
		label = "may be why"
	}
	lines(label, c.Why)
	switch {
	case len(c.Differs) > 0:
		b.WriteString("The run is not reproduced: here it behaves otherwise.\n")
	case len(c.Left) > 0:
		b.WriteString("The run is not reproduced: where it failed, it was not repeated.\n")
	case len(c.Reproduced) > 0:
		b.WriteString("The failure is reproduced.\n")
	default:
		b.WriteString("The run is reproduced: nothing differs.\n")
	}
	return b.String()
}

func (c *Comparison) differs(format string, args ...any) {
	c.Differs = append(c.Differs, fmt.Sprintf(format, args...))
}

func (c *Comparison) same(format string, args ...any) {
	c.Same = append(c.Same, fmt.Sprintf(format, args...))
}

func (c *Comparison) reproduced(format string, args ...any) {
	c.Reproduced = append(c.Reproduced, fmt.Sprintf(format, args...))
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

func (c *Comparison) left(format string, args ...any) {
	c.Left = append(c.Left, fmt.Sprintf(format, args...))
}
