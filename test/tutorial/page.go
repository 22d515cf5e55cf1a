// Package tutorial runs the tutorial: its commands are taken from the page in the order in which
// a reader types them, run on a bare host, and have to say what the page shows.
package tutorial

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one thing that a reader types, and what the page shows for it.
type step struct {
	line    int // of the page
	command string
	shows   []string // lines, in which … stands for anything
	fails   bool     // the page goes on with `echo $?`
	several bool     // lines, each of which has to end well
}

// steps takes the commands from a page: of each block marked as sh the whole, and of one marked as
// console the lines after "$ ", with what is below them as their output.
func steps(page string) (found []step, err error) {
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		kind, fenced := strings.CutPrefix(lines[i], "```")
		if !fenced {
			continue
		}
		begin := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		if i == len(lines) {
			return nil, fmt.Errorf("line %d: the block has no end", begin)
		}
		switch block := lines[begin:i]; kind {
		case "sh":
			found = append(found, step{line: begin + 1, command: strings.Join(block, "\n"), several: true})
		case "console":
			for n, line := range block {
				switch command, typed := strings.CutPrefix(line, "$ "); {
				case typed:
					if command == "echo $?" && len(found) > 0 {
						found[len(found)-1].fails = true
					}
					found = append(found, step{line: begin + n + 1, command: command})
				case n == 0:
					return nil, fmt.Errorf("line %d: the block begins with output, and not with a command", begin+1)
				default:
					last := &found[len(found)-1]
					last.shows = append(last.shows, line)
				}
			}
		default:
			return nil, fmt.Errorf("line %d: nobody runs a block marked %q: mark it sh or console", begin, kind)
		}
	}
	return found, nil
}

// missing is the first line that is shown and was not written, in this order; "" where all were.
func missing(shows []string, output string) string {
	lines := strings.Split(output, "\n")
	for _, want := range shows {
		at := -1
		for i, line := range lines {
			if fits(want, line) {
				at = i
				break
			}
		}
		if at < 0 {
			return want
		}
		lines = lines[at+1:]
	}
	return ""
}

// fits compares a line with one in which … stands for anything. How wide columns are, is not
// looked at.
func fits(want, line string) bool {
	var parts []string
	for _, p := range strings.Split(strings.Join(strings.Fields(want), " "), "…") {
		parts = append(parts, regexp.QuoteMeta(p))
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(strings.Join(strings.Fields(line), " "))
}
