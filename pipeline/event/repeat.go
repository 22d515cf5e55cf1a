package event

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Repeat is the command that does the same on a laptop: of whole, all that was decided, one part
// and one environment ("" for all). Without a commit it is about the work tree as it is.
func Repeat(commit string, e Event, whole Decision, part Part, env string) string {
	line := []string{"go tool mage ci:run"}
	if commit != "" {
		line = []string{"go tool mage ci:repro", commit}
	}
	flag := func(name, value string) {
		if value != "" {
			line = append(line, "-"+name+"="+quoted(value))
		}
	}
	// Without a kind, -only is a person's wish, and done though nothing else asks for it.
	if !e.ByHand {
		flag("event", string(e.Kind))
	}
	labels := whole.Labels
	switch {
	case part == Check || part == Images:
		env = e.Environment
	case env == "":
		env = e.Environment
	case !whole.Asks(Deploy, env):
		// A laptop takes -env for a wish: without it, and without labels, nothing is deployed here
		// as nothing was there.
		labels, env = nil, ""
	}
	flag("labels", strings.Join(labels, ","))
	flag("branch", e.Branch)
	flag("base", e.Base)
	flag("only", string(part))
	flag("env", env)
	return strings.Join(line, " ")
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@,+%-]+$`)

// quoted makes one word of a value for a POSIX shell: branches and labels are anybody's text. What
// a terminal would take for an order is written by its bytes.
func quoted(v string) string {
	if plain.MatchString(v) {
		return v
	}
	if !strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, c := range []byte(v) {
		if c < ' ' || c >= 0x7f || c == '\'' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return "$'" + b.String() + "'"
}
