// Package notification takes what Alertmanager's webhook receiver sends, and words it for a chat.
package notification

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Notification is Alertmanager's, version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), as far as it is told.
type Notification struct {
	Version         string  `json:"version"`
	Status          string  `json:"status"`
	TruncatedAlerts int     `json:"truncatedAlerts"`
	Alerts          []Alert `json:"alerts"`
}

// Alert is one of them.
type Alert struct {
	Status      string            `json:"status"` // "firing" or "resolved"
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Lines are the message: a title, then what fires, then what is over.
func (n Notification) Lines() []string {
	firing, over := "", ""
	var lines, ended []string
	alerts := slices.Clone(n.Alerts)
	slices.SortStableFunc(alerts, func(a, b Alert) int { return cmp.Compare(a.name(), b.name()) })
	count := map[bool]int{}
	for _, a := range alerts {
		fires := a.Status == "firing"
		count[fires]++
		switch {
		case fires:
			lines = append(lines, a.lines("🔥 ")...)
		default:
			ended = append(ended, a.lines("✅ over: ")[0]) // what to do is no news any more
		}
	}
	if count[true] > 0 {
		firing = fmt.Sprintf("%d firing", count[true])
	}
	if count[false] > 0 {
		over = fmt.Sprintf("%d over", count[false])
	}
	title := "Alerts: " + strings.Join(slices.DeleteFunc([]string{firing, over}, func(s string) bool { return s == "" }), ", ")
	lines = append(append([]string{title}, lines...), ended...)
	if n.TruncatedAlerts > 0 {
		lines = append(lines, fmt.Sprintf("and %d more, which Alertmanager left out", n.TruncatedAlerts))
	}
	return lines
}

func (a Alert) name() string { return cmp.Or(a.Labels["alertname"], "an alert without a name") }

func (a Alert) lines(mark string) []string {
	line := mark + a.name()
	if s := a.Labels["severity"]; s != "" {
		line += " (" + s + ")"
	}
	if s := oneLine(a.Annotations["summary"]); s != "" {
		line += ": " + s
	}
	lines := []string{line}
	if s := oneLine(a.Annotations["description"]); s != "" {
		lines = append(lines, "   "+s)
	}
	return lines
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
