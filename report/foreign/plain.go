package foreign

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape are a terminal's sequences: CSI (colours), OSC (titles, links), and single ones.
var escape = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_])")

// Plain removes what does not print or changes the direction of what does. Lines stay, and of
// a line that a program drew again and again the last drawing.
func Plain(s string) string {
	s = strings.ToValidUTF8(escape.ReplaceAllString(s, ""), "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		l = strings.TrimRight(l, "\r")
		lines[i] = strings.Map(printable, l[strings.LastIndexByte(l, '\r')+1:])
	}
	return strings.Join(lines, "\n")
}

func printable(r rune) rune {
	if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
		return -1
	}
	return r
}

// Line is Plain on one line.
func Line(s string) string { return strings.Join(strings.Fields(Plain(s)), " ") }

// gap is a zero width space: nothing to see, and no name goes on behind it.
const gap = "\u200b"

// summons is what calls a person or a group (@name), or links from here to an issue, merge
// request, milestone, label or epic, which would then show that it was mentioned.
var summons = regexp.MustCompile(`@([\w-])|([#!&])(\d)|([~%])([\w"])|\b(GH-)(\d)`)

// Quiet keeps text from calling people and from linking to issues.
func Quiet(s string) string {
	return summons.ReplaceAllStringFunc(s, func(m string) string {
		_, last := utf8.DecodeLastRuneInString(m)
		return m[:len(m)-last] + gap + m[len(m)-last:]
	})
}

// Cut keeps at most n characters, the last of them "…" where something was left out.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n-1, 0)]) + "…"
}
