// Package figures keeps what benchmarks measure in one run, side by side with their peers, for
// docs/performance.md.
package figures

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"
)

// FileVar names the file that figures are kept in, a line of JSON each. Unset: they are shown
// by the benchmark alone.
const FileVar = "SLIPWAY_FIGURES"

// Figure is one row: a work, done by slipway and by a peer in turn.
type Figure struct {
	Work string `json:"work"`
	Unit string `json:"unit"` // "ms" or "MB"
	Ours Sample `json:"ours"`
	// Beside is the peer. One without values is not there, and its name says why; one without
	// a name is none.
	Beside Sample `json:"beside"`
	// AtMost bounds the ratio to the peer, or Ours in its unit where there is no peer.
	AtMost float64 `json:"atMost"`
	// Note says what a reader has to know.
	Note string `json:"note,omitempty"`
}

// Sample is what was measured of one command.
type Sample struct {
	Name    string    `json:"name"`
	Command string    `json:"command,omitempty"`
	Values  []float64 `json:"values"`
}

// Took adds a duration in milliseconds.
func (s *Sample) Took(d time.Duration) { s.Values = append(s.Values, float64(d.Microseconds())/1000) }

// Median is the middle value, the upper one of two; 0 for an empty sample.
func (s *Sample) Median() float64 {
	if len(s.Values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s.Values))[len(s.Values)/2]
}

// Ratio is Ours to Beside, 0 without a peer.
func (f *Figure) Ratio() float64 {
	if peer := f.Beside.Median(); peer > 0 {
		return f.Ours.Median() / peer
	}
	return 0
}

// Measured is what AtMost bounds.
func (f *Figure) Measured() float64 {
	if len(f.Beside.Values) > 0 {
		return f.Ratio()
	}
	return f.Ours.Median()
}

// Record shows a figure as metrics of the benchmark, and keeps it where FileVar says.
func Record(b *testing.B, f Figure) {
	b.Helper()
	for _, s := range []Sample{f.Ours, f.Beside} {
		if len(s.Values) == 0 {
			continue
		}
		b.ReportMetric(s.Median(), s.Name+"-median-"+f.Unit)
		b.ReportMetric(slices.Min(s.Values), s.Name+"-min-"+f.Unit)
		b.ReportMetric(slices.Max(s.Values), s.Name+"-max-"+f.Unit)
	}
	if r := f.Ratio(); r > 0 {
		b.ReportMetric(r, "ratio")
	}
	if err := keep(f); err != nil {
		b.Fatal(err)
	}
}

func keep(f Figure) error {
	name := os.Getenv(FileVar)
	if name == "" {
		return nil
	}
	line, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("keeping the figure of %q: %w", f.Work, err)
	}
	out, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keeping the figure of %q: %w", f.Work, err)
	}
	_, err = out.Write(append(line, '\n'))
	return errors.Join(err, out.Close())
}

// Read gives the figures of a file. Of one that was measured more than once (go test calls a
// benchmark again for a steadier time) the last counts. None is no error.
func Read(name string) (all []Figure, err error) {
	in, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f Figure
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, fmt.Errorf("reading the figures in %s: %w", name, err)
		}
		all = slices.DeleteFunc(all, func(o Figure) bool { return o.Work == f.Work && o.Beside.Name == f.Beside.Name })
		all = append(all, f)
	}
	return all, lines.Err()
}
