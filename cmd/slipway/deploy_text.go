package main

import (
	"fmt"
	"strings"

	"slipway/deploy/watch"
)

// failure is all that is known about a service that did not come up.
func failure(key string, state watch.State, r *watch.Reason) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", label, text)
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", key, state)
	line("why", r.Message)
	line("task", strings.TrimSpace(r.Task+" "+onNode(r.Node)))
	line("error", r.TaskError)
	if r.ExitCode != nil && *r.ExitCode != 0 {
		line("exit code", fmt.Sprint(*r.ExitCode))
	}
	for _, h := range r.Health {
		line("health", h)
	}
	for _, l := range r.Log {
		line("log", l)
	}
	line("runs now", r.Now)
	return b.String()
}

func onNode(node string) string {
	if node == "" {
		return ""
	}
	return "on " + node
}

// shortImage leaves the most of a digest out.
func shortImage(image string) string {
	name, sum, ok := strings.Cut(image, "@sha256:")
	if !ok || len(sum) < 12 {
		return image
	}
	return name + "@" + sum[:12]
}
