package repro

import (
	"regexp"
	"strings"
)

// fleeting is what differs from run to run and says nothing: times, addresses, ports, and
// names of temporary files.
var fleeting = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?`), "TIME"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|us|ms|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b0x[0-9a-f]+\b`), "ADDRESS"},
	{regexp.MustCompile(`\bgoroutine \d+\b`), "goroutine N"},
	{regexp.MustCompile(`(\b\d{1,3}(?:\.\d{1,3}){3}|\[::1?\]|localhost):\d+`), "$1:PORT"},
	{regexp.MustCompile(`/tmp/[^\s:"']*\d{3,}`), "/tmp/NAME"},
}

// plain is a text without what is fleeting in it.
func plain(text string) string {
	for _, f := range fleeting {
		text = f.pattern.ReplaceAllString(text, f.instead)
	}
	return strings.TrimSpace(text)
}

// compareText notes the first line in which two texts differ.
func (c *Comparison) compareText(what, then, here string) {
	a, b := strings.Split(plain(then), "\n"), strings.Split(plain(here), "\n")
	for i := range max(len(a), len(b)) {
		x, y := line(a, i), line(b, i)
		if x != y {
			c.note("%s differs first in line %d: %s\nthen: %s", what, i+1, y, x)
			return
		}
	}
}

func line(all []string, i int) string {
	if i >= len(all) {
		return "(nothing)"
	}
	return strings.TrimRight(all[i], " \r")
}
