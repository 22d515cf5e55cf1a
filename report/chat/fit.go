package chat

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// bound is how much a service takes, and how it counts.
type bound struct {
	most  int
	count func(string) int
}

func octets(s string) int { return len(s) }
func units(s string) int  { return len(utf16.Encode([]rune(s))) }

// bounds are the services' own, where they are below the default.
var bounds = map[string]bound{
	"telegram": {4096, units}, // Bot API, sendMessage: "1-4096 characters after entities parsing", which it counts in UTF-16
	"discord":  {2000, units}, // one message's content; beyond it shoutrrr mixes its parts up
	"pushover": {1024, utf8.RuneCountInString},
	"ntfy":     {4000, octets}, // 4096 with headers; more becomes an attachment
}

func boundOf(kind string) bound {
	if b, ok := bounds[kind]; ok {
		return b
	}
	return bound{4000, octets}
}

const cutShort = "… the rest did not fit here, and is in the job's log"

// fit joins the lines that there is room for.
func fit(lines []string, b bound) string {
	if whole := strings.Join(lines, "\n"); b.count(whole) <= b.most {
		return whole
	}
	var out []string
	room := b.most - b.count(cutShort)
	for _, l := range lines {
		if room -= b.count(l) + 1; room < 0 {
			break
		}
		out = append(out, l)
	}
	return strings.Join(append(out, cutShort), "\n")
}
