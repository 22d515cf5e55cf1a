// Package progress is how long work tells a person what it is doing. It is only the
// contract and a plain-line implementation, so that even the light launcher can use it;
// package engine/display shows the same tasks in BuildKit's live view.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Reporter starts tasks. Implementations are safe for concurrent use.
type Reporter interface {
	// Start announces work that may take more than a moment. The name is what a
	// person reads: "compiling the embedded engine (once for this version)".
	Start(name string) Task
}

// Task is one piece of work under way.
type Task interface {
	// Log adds one line of detail.
	Log(line string)
	// Amount says how far the work is: current of total units ("packages", "bytes").
	// A total of 0 means unknown.
	Amount(unit string, current, total int64)
	// Done ends the task; err is nil where it succeeded. Only the first call counts.
	Done(err error)
}

// Plain writes one line when a task starts, at most one every interval while its amount
// moves, and one when it ends. It suits a CI log; on a terminal it is still readable.
func Plain(w io.Writer, interval time.Duration) Reporter {
	return &plain{w: w, interval: interval}
}

// Discard reports to nobody.
func Discard() Reporter { return Plain(io.Discard, time.Hour) }

type plain struct {
	mu       sync.Mutex
	w        io.Writer
	interval time.Duration
}

func (p *plain) Start(name string) Task {
	t := &plainTask{p: p, name: name, began: time.Now()}
	t.last = t.began
	p.printf("slipway: %s …\n", name)
	return t
}

func (p *plain) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.w, format, args...)
}

type plainTask struct {
	p     *plain
	name  string
	began time.Time

	mu   sync.Mutex
	last time.Time
	done bool
}

func (t *plainTask) Log(line string) { t.p.printf("slipway: %s: %s\n", t.name, line) }

func (t *plainTask) Amount(unit string, current, total int64) {
	t.mu.Lock()
	due := !t.done && time.Since(t.last) >= t.p.interval
	if due {
		t.last = time.Now()
	}
	t.mu.Unlock()
	if due {
		t.p.printf("slipway: %s: %s\n", t.name, FormatAmount(unit, current, total))
	}
}

func (t *plainTask) Done(err error) {
	t.mu.Lock()
	again := t.done
	t.done = true
	t.mu.Unlock()
	if again {
		return
	}
	took := time.Since(t.began).Round(100 * time.Millisecond)
	if err != nil {
		t.p.printf("slipway: %s: failed after %s\n", t.name, took)
		return
	}
	t.p.printf("slipway: %s: done in %s\n", t.name, took)
}

// FormatAmount renders an amount for a person: "12.5 of 74.0 MB", "312 of 905 packages".
func FormatAmount(unit string, current, total int64) string {
	c, t := fmt.Sprint(current), fmt.Sprint(total)
	if unit == "bytes" {
		unit = "MB"
		c, t = fmt.Sprintf("%.1f", float64(current)/1e6), fmt.Sprintf("%.1f", float64(total)/1e6)
	}
	if total <= 0 {
		return c + " " + unit
	}
	return c + " of " + t + " " + unit
}
