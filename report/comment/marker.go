package comment

import (
	"regexp"
	"strconv"
	"strings"
)

// odd is what a marker's key may not have: ">" would end the HTML comment.
var odd = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// Marker is the hidden line that a comment begins with, and by which it is found again.
func Marker(key string) string {
	return "<!-- slipway:" + strings.Trim(odd.ReplaceAllString(key, "-"), "-") + " -->"
}

// Marked puts the marker before a text, and the number of the run that wrote it, by which an
// older run that ends later knows itself as such. 0 is a run without a number.
func Marked(key string, run int64, text string) string {
	head := Marker(key) + "\n"
	if run > 0 {
		head += "<!-- run:" + strconv.FormatInt(run, 10) + " -->\n"
	}
	return head + "\n" + text
}

// IsMarked tells whether a comment begins with the key's marker: one that only quotes it, or
// has it in a log, does not.
func IsMarked(body, key string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	return strings.TrimSpace(first) == Marker(key)
}

var numbered = regexp.MustCompile(`^\s*<!-- slipway:[^\n]*\n<!-- run:(\d+) -->`)

// Run is the number of the run that wrote a comment, 0 where it has none.
func Run(body string) int64 {
	m := numbered.FindStringSubmatch(strings.ReplaceAll(body, "\r\n", "\n"))
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // what does not fit in 64 bits is no run's number
	return n
}
