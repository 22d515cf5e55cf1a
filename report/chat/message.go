// Package chat tells people in chats how a deploy or a pipeline ended, by shoutrrr's services and
// Telegram. It is never the cause of a failure: what cannot be sent is a warning.
package chat

import (
	"fmt"
	"strings"
	"time"

	"slipway/report/comment"
	"slipway/report/foreign"
)

// Message is what is to be told. What is empty is left out.
type Message struct {
	Project, Env, Stack string
	Release             int
	OK                  bool
	Result              string // "done", "rolled back", "failed"
	Cause, Next         string
	Who, Branch, Commit string
	Services            []comment.Service // with the reasons of those that failed
	Changes             []string          // "update service shop_prod_backend"
	Took                time.Duration
	About               comment.About // Link and Reproduce
}

const (
	maxLine    = 300 // characters
	maxChanges = 15
	maxLog     = 12 // lines of a task's log
)

// headline is the message's first line.
func (m Message) headline(mask foreign.Mask) string {
	sign := "✅"
	if !m.OK {
		sign = "❌"
	}
	what := "pipeline"
	if m.Env != "" {
		what = "deploy to " + m.Env
	}
	if m.Project != "" {
		what = m.Project + ": " + what
	}
	var more []string
	if m.Release > 0 {
		more = append(more, fmt.Sprintf("release %d", m.Release))
	}
	if m.Took > 0 {
		more = append(more, m.Took.Round(time.Second).String())
	}
	s := fmt.Sprintf("%s %s: %s", sign, what, m.Result)
	if more != nil {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return line(mask, s)
}

// line is foreign text on one line, in which nobody is called.
func line(mask foreign.Mask, s string) string {
	return foreign.Quiet(foreign.Short(mask, s, maxLine))
}

// lines is the whole message, what matters most first: a cut takes the end.
func (m Message) lines(mask foreign.Mask) []string {
	out := []string{m.headline(mask)}
	add := func(name, value string) {
		if value != "" {
			out = append(out, line(mask, name+": "+value))
		}
	}
	add("stack", m.Stack)
	add("why", m.Cause)
	add("next", m.Next)
	if m.About.Link != "" { // longer than other lines: half an address is none
		out = append(out, "job: "+foreign.Short(mask, m.About.Link, 4*maxLine))
	}
	if m.About.Reproduce != "" {
		out = append(out, "again: "+foreign.Short(mask, m.About.Reproduce, 4*maxLine))
	}
	add("by", m.by())
	var tags []string
	for _, s := range m.Services {
		if s.Tag != "" {
			tags = append(tags, s.Name+" "+s.Tag)
		}
	}
	add("tags", strings.Join(tags, ", "))
	if len(m.Changes) > 0 {
		out = append(out, "changed:")
	}
	for i, c := range m.Changes {
		if i == maxChanges {
			out = append(out, fmt.Sprintf("  and %d more", len(m.Changes)-i))
			break
		}
		out = append(out, "  "+line(mask, c))
	}
	for _, s := range m.Services {
		if s.Reason != nil {
			out = append(out, card(mask, s)...)
		}
	}
	return out
}

func (m Message) by() string {
	var parts []string
	if m.Who != "" {
		parts = append(parts, m.Who)
	}
	if m.Branch != "" {
		parts = append(parts, "branch "+m.Branch)
	}
	if m.Commit != "" {
		parts = append(parts, "commit "+m.Commit[:min(len(m.Commit), 8)])
	}
	return strings.Join(parts, ", ")
}

// card says why a service failed, and what runs now.
func card(mask foreign.Mask, s comment.Service) []string {
	r := s.Reason
	out := []string{line(mask, s.Name+": "+s.State)}
	add := func(name, value string) {
		if value != "" {
			out = append(out, "  "+line(mask, name+": "+value))
		}
	}
	add("why", r.Message)
	var where []string
	if r.Task != "" {
		where = append(where, "task "+r.Task)
	}
	if r.Node != "" {
		where = append(where, "node "+r.Node)
	}
	if r.ExitCode != nil {
		where = append(where, fmt.Sprintf("exit code %d", *r.ExitCode))
	}
	add("where", strings.Join(where, ", "))
	add("error", r.Error)
	add("now", r.Now)
	out = append(out, tail(mask, "health checks", r.Health)...)
	return append(out, tail(mask, "last log lines", r.Log)...)
}

// tail is the end of some output. It is masked while its lines are together.
func tail(mask foreign.Mask, title string, all []string) []string {
	text := strings.Trim(foreign.Plain(mask.Apply(strings.Join(foreign.Last(all, 4*maxLog*maxLine), "\n"))), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	out := []string{"  " + title + ":"}
	for _, l := range lines[max(len(lines)-maxLog, 0):] {
		out = append(out, "    "+foreign.Quiet(foreign.Cut(strings.TrimRight(l, " \t"), maxLine)))
	}
	return out
}
