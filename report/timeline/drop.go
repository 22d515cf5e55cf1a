package timeline

import (
	"html"
	"slices"

	"slipway/progress/recording"
)

// around is what a line of a log takes in the page beside its text.
const around = 8

// drop takes lines away until about so many bytes are saved, and says how many lines.
func drop(r *recording.Recording, bytes int) int {
	type line struct {
		of *recording.Span
		recording.Line
	}
	var lines []line
	for gi := range r.Groups {
		for i := range r.Groups[gi].Spans {
			s := &r.Groups[gi].Spans[i]
			for _, l := range s.Log {
				lines = append(lines, line{s, l})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		if af, bf := a.of.State == recording.Failed, b.of.State == recording.Failed; af != bf {
			if af {
				return 1
			}
			return -1
		}
		return a.At.Compare(b.At)
	})
	n := 0
	bytes += 1 << 10 // the sentences that say so
	for _, l := range lines {
		if bytes <= 0 {
			break
		}
		bytes -= len(html.EscapeString(l.Text)) + around
		l.of.Log = l.of.Log[1:] // a log's lines are in the order of their times
		l.of.Dropped++
		n++
	}
	return n
}

// copied is a recording whose spans may be changed.
func copied(r recording.Recording) recording.Recording {
	r.Groups = slices.Clone(r.Groups)
	for i := range r.Groups {
		r.Groups[i].Spans = slices.Clone(r.Groups[i].Spans)
	}
	return r
}
