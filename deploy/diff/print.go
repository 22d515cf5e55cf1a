package diff

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Print writes a plan for people, with a summary as its last line.
func (p *Plan) Print(w io.Writer) {
	for _, op := range p.Operations {
		if op.Action != Leave {
			op.print(w)
		}
	}
	for _, warning := range p.Warnings {
		_, _ = fmt.Fprintf(w, "  warning: %s\n", warning)
	}
	_, _ = fmt.Fprintf(w, "%s: %s\n", p.Stack, p.Summary())
}

var signs = map[Action]string{Create: "+", Update: "~", Replace: "±", Remove: "-", Keep: "?"}

func (o Operation) print(w io.Writer) {
	note := ""
	switch {
	case o.Action == Update && o.Restarts:
		note = " (its tasks are replaced)"
	case o.Action == Update:
		note = " (its tasks stay)"
	}
	_, _ = fmt.Fprintf(w, "%s %s %s %s%s\n", cmp.Or(signs[o.Action], " "), o.Action, o.Kind, o.Name, note)
	if o.Note != "" {
		_, _ = fmt.Fprintf(w, "      %s\n", o.Note)
	}
	for _, f := range o.Fields {
		_, _ = fmt.Fprintf(w, "      %s\n", f)
	}
}

func (f Field) String() string {
	switch {
	case f.Old == "":
		return fmt.Sprintf("+ %s: %s", f.Path, printable(f.New))
	case f.New == "":
		return fmt.Sprintf("- %s: %s", f.Path, printable(f.Old))
	}
	return fmt.Sprintf("%s: %s → %s", f.Path, printable(f.Old), printable(f.New))
}

// printable keeps a value on one line and off the terminal's controls.
func printable(v string) string {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
		return fmt.Sprintf("%q", v)
	}
	return v
}

// Summary counts: "2 to create, 1 to update, 5 unchanged", or "nothing to change".
func (p *Plan) Summary() string {
	count := map[Action]int{}
	for _, op := range p.Operations {
		count[op.Action]++
	}
	var parts []string
	for _, a := range []Action{Create, Update, Replace, Remove} {
		if count[a] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", count[a], a))
		}
	}
	if parts == nil {
		return "nothing to change"
	}
	if count[Leave] > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", count[Leave]))
	}
	return strings.Join(parts, ", ")
}
