package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"slipway/engine"
	"slipway/pipeline"
	findings "slipway/report"
	"slipway/report/foreign"
)

// report prints each step's time, then the failures with their findings last, and on
// stdout one line a service: its name, tag and digest.
func report(stdout, stderr io.Writer, outcomes []outcome) error {
	failed := 0
	for _, o := range outcomes {
		if o.err == nil {
			printSteps(stderr, o)
		}
	}
	for _, o := range outcomes {
		if o.failed() {
			failed++
			continue
		}
		line := o.plan.Service + " " + o.plan.Tag
		if o.result.Digest != "" {
			line += " " + o.result.Digest
		}
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	if failed == 0 {
		return nil
	}
	var names []string
	for _, o := range outcomes {
		if o.failed() {
			names = append(names, o.plan.Service)
			printFailure(stderr, o)
		}
	}
	return &shownError{fmt.Errorf("failed: %s", strings.Join(names, ", "))}
}

// printSteps prints a service's steps with their times.
func printSteps(w io.Writer, o outcome) {
	_, _ = fmt.Fprintf(w, "\n%s %s, %s\n", o.plan.Service, o.plan.Tag, o.result.Engine)
	for _, s := range o.result.Steps {
		if plain := o.plan.Step(s.ID); plain != nil && plain.Export != nil && s.State != engine.Failed {
			continue
		}
		took := s.Took.Round(10 * time.Millisecond).String()
		if s.State == engine.Skipped || s.State == engine.Reused {
			took = "-"
		}
		_, _ = fmt.Fprintf(w, "  %-8s %-28s %s\n", s.State, s.Name, took)
	}
}

func printFailure(w io.Writer, o outcome) {
	if o.err != nil {
		_, _ = fmt.Fprintf(w, "\nslipway: %s\n", foreign.Plain(o.err.Error()))
		return
	}
	for _, s := range o.result.Failed() {
		_, _ = fmt.Fprintf(w, "\n✗ %s\n", foreign.Plain(s.Failure.Message))
		var details []string
		for _, f := range findingsOf(o.plan, s) {
			details = append(details, f.String())
		}
		if len(details) == 0 && s.Failure.Log != "" {
			details = append(details, foreign.Plain(tail(s.Failure.Log, 40)))
		}
		if len(details) > 0 {
			_, _ = fmt.Fprintf(w, "\n%s\n", strings.Join(details, "\n"))
		}
		_, _ = fmt.Fprintf(w, "\nRepeat only this: go tool mage %s\n", repeat(o.plan, s.ID))
	}
}

// findingsOf reads what a failed step found, the most telling source first.
func findingsOf(plan *pipeline.Plan, s engine.StepResult) []findings.Finding {
	f := s.Failure
	var m findings.Module
	if plan.Module != nil {
		m = findings.Module{Path: plan.Module.Path, Dir: plan.Module.Dir}
	}
	if data, ok := f.Reports["lint.json"]; ok {
		if list, err := findings.FromCodeClimate(data, m.Dir); err == nil && len(list) > 0 {
			return list
		}
	}
	if data, ok := f.Reports["test.json"]; ok {
		if list := findings.FromTests(data, m); len(list) > 0 {
			return list
		}
	}
	if f.File != "" {
		text := strings.TrimSpace(tail(f.Log, 20))
		if text == "" {
			text = f.Message
		}
		return []findings.Finding{{File: f.File, Line: f.Line, Text: text}}
	}
	return findings.FromOutput(f.Log, m.Dir)
}

// repeat is the target that runs a step and what it needs, and no more.
func repeat(plan *pipeline.Plan, id string) string {
	what := strings.TrimPrefix(id, plan.Service+"/")
	switch what {
	case "lint", "test":
		return "build:" + what + " " + plan.Service
	case "push":
		return "image:push " + plan.Service
	}
	return "build:service " + plan.Service
}

func tail(log string, n int) string {
	lines := strings.Split(strings.TrimRight(log, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{"…"}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
