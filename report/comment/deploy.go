package comment

import (
	"fmt"
	"strings"
	"time"
)

// Markdown is the comment's text, without its marker.
func (d Deploy) Markdown(o Options) string {
	return fit(o, d.About, func(p *page) {
		p.line("### %s\n", p.headline(d))
		if v := d.Verdict; v != nil {
			p.verdict(*v)
		}
		if d.Plan != nil {
			p.plan(*d.Plan)
		}
		p.warnings(d.Warnings)
		p.about(d.About)
	})
}

func (p *page) headline(d Deploy) string {
	what := "Deploy to " + p.code(d.Env)
	switch v := d.Verdict; {
	case v == nil:
		return "Plan for " + p.code(d.Env)
	case v.OK:
		what = "✅ " + what + ": " + p.prose(v.Result)
	default:
		what = "❌ " + what + ": " + p.prose(v.Result)
	}
	var parts []string
	if d.Stack != "" {
		parts = append(parts, "stack "+p.code(d.Stack))
	}
	if d.Release > 0 {
		parts = append(parts, fmt.Sprintf("release %d", d.Release))
	}
	if d.Verdict.Took > 0 {
		parts = append(parts, d.Verdict.Took.Round(time.Second).String())
	}
	if parts != nil {
		what += " (" + strings.Join(parts, ", ") + ")"
	}
	return what
}

func (p *page) verdict(v Verdict) {
	if v.Cause != "" {
		p.line("Why: %s\n", p.prose(v.Cause))
	}
	if v.Next != "" {
		p.line("Next: %s\n", p.prose(v.Next))
	}
	if len(v.Services) > 0 {
		p.line("| service | tag | state | running |\n| --- | --- | --- | --- |")
	}
	for i, s := range v.Services {
		if i >= p.rows {
			p.left += len(v.Services) - i
			break
		}
		p.line("| %s | %s | %s | %d of %d |", p.cell(s.Name), p.cell(s.Tag), p.prose(s.State), s.Running, s.Wanted)
	}
	p.line("")
	cards := 0
	for _, s := range v.Services {
		if s.Reason == nil {
			continue
		}
		if cards++; cards > p.rows {
			p.left++
			continue
		}
		p.card(s)
	}
}

// card says why a service failed, and what runs now.
func (p *page) card(s Service) {
	r := s.Reason
	p.line("#### %s: %s\n", p.code(s.Name), p.prose(s.State))
	if r.Message != "" {
		p.line("- why: %s", p.prose(r.Message))
	}
	var where []string
	if r.Task != "" {
		where = append(where, "task "+p.code(r.Task))
	}
	if r.Node != "" {
		where = append(where, "node "+p.code(r.Node))
	}
	if r.ExitCode != nil {
		where = append(where, fmt.Sprintf("exit code %d", *r.ExitCode))
	}
	if where != nil {
		p.line("- where: %s", strings.Join(where, ", "))
	}
	if r.Error != "" {
		p.line("- error: %s", p.code(r.Error))
	}
	if r.Now != "" {
		p.line("- now: %s", p.prose(r.Now))
	}
	p.line("")
	p.folded("health checks", "text", r.Health, true)
	p.folded("last log lines", "text", r.Log, true)
}

var signs = map[string]string{"create": "+", "update": "~", "replace": "±", "remove": "-", "delete": "-", "keep": "?"}

func (p *page) plan(plan Plan) {
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{plan.Create, "create"}, {plan.Update, "update"}, {plan.Delete, "delete"}} {
		counts = append(counts, fmt.Sprintf("**%d** to %s", c.n, c.what))
	}
	p.line("Plan: %s, %d unchanged\n", strings.Join(counts, ", "), plan.Unchanged)
	var lines []string
	for _, c := range plan.Changes {
		sign := signs[c.Action]
		if sign == "" {
			sign = "!"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", sign, c.Action, c.Kind, c.Name))
		for _, detail := range append(c.Fields[:len(c.Fields):len(c.Fields)], c.Note) {
			if detail != "" {
				lines = append(lines, "      "+strings.ReplaceAll(detail, "\n", " "))
			}
		}
	}
	p.folded("changed fields", "text", lines, false)
}
