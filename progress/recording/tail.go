package recording

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	tailLimit = 256 << 10 // bytes of one log that are kept: its end
	lineLimit = 4 << 10   // bytes of one line
)

// tail keeps the last lines of a log.
type tail struct {
	lines   []Line
	dropped int
	bytes   int
	part    string // the beginning of a line whose end is yet to come
}

// add takes the next piece of a log, which may end within a line.
func (t *tail) add(at time.Time, piece string) {
	piece = t.part + piece
	for {
		line, rest, whole := strings.Cut(piece, "\n")
		if !whole {
			if t.part = line; len(line) < lineLimit {
				return
			}
		}
		t.line(at, line)
		if piece, t.part = rest, ""; !whole {
			return
		}
	}
}

func (t *tail) line(at time.Time, text string) {
	text = Plain(text)
	if len(text) > lineLimit {
		text = text[:lineLimit]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
		text += "…"
	}
	t.lines = append(t.lines, Line{at, text})
	t.bytes += len(text)
	for t.bytes > tailLimit {
		t.bytes -= len(t.lines[0].Text)
		t.lines = t.lines[1:]
		t.dropped++
	}
}

// flush ends the last line.
func (t *tail) flush(at time.Time) {
	if t.part != "" {
		t.line(at, t.part)
		t.part = ""
	}
}

// control are colours and movements of a terminal (ECMA-48 control sequences and strings).
var control = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_a-z0-9=>])`)

// Plain is what a line looks like in the end, without a terminal.
func Plain(line string) string {
	line = strings.TrimRight(control.ReplaceAllString(line, ""), "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:] // what came before was written over
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, line)
}
