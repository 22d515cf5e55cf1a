// Package display shows long work on a terminal with BuildKit's own live view, and as
// plain lines elsewhere. BuildKit's builds and slipway's own tasks (progress.Reporter)
// appear in one picture.
package display

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"

	"slipway/progress"
)

// Display is one live picture. All of its methods are safe for concurrent use.
type Display struct {
	ch   chan *client.SolveStatus
	to   Recorder // nil for none
	done chan struct{}

	mu      sync.Mutex
	senders sync.WaitGroup
	closed  bool
}

var _ progress.Reporter = (*Display)(nil)

// Recorder keeps what a display shows.
type Recorder interface {
	progress.Reporter
	// Follow is for one build, whose statuses what it returns is told of.
	Follow(name string) func(*client.SolveStatus)
}

// Record keeps all that is shown from now on. It is to be called before the display is used.
func (d *Display) Record(to Recorder) { d.to = to }

// New starts a display on out: live where out is a terminal, plain lines elsewhere or
// where $SLIPWAY_PROGRESS says "plain". "quiet" shows nothing. The live view is headed by what is
// being done.
func New(out *os.File, mode, doing string) (*Display, error) {
	m := progressui.AutoMode
	if mode != "" {
		m = progressui.DisplayMode(mode)
	}
	ui, err := progressui.NewDisplay(out, m, progressui.WithPhase(doing))
	if err != nil {
		return nil, fmt.Errorf("SLIPWAY_PROGRESS=%s: %w (use auto, plain, tty, rawjson or quiet)", mode, err)
	}
	d := &Display{ch: make(chan *client.SolveStatus, 64), done: make(chan struct{})}
	go func() {
		defer close(d.done)
		// The context is the display's own: it ends by Close, after the last status.
		_, _ = ui.UpdateFrom(context.Background(), d.ch)
		for range d.ch { // a display that failed must not block the work
		}
	}()
	return d, nil
}

// Close shows the last state and ends the display. Statuses sent later are dropped.
func (d *Display) Close() {
	d.mu.Lock()
	again := d.closed
	d.closed = true
	d.mu.Unlock()
	if !again {
		d.senders.Wait()
		close(d.ch)
	}
	<-d.done
}

// enter registers a sender; false after Close.
func (d *Display) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.senders.Add(1)
	return true
}

func (d *Display) send(s *client.SolveStatus) {
	if d.enter() {
		defer d.senders.Done()
		d.ch <- s
	}
}

// Follow returns a channel for one build's statuses, to be closed by the build as
// client.Build does. Each status is seen by watch before it is shown, under prefix: "ping"
// turns "[1/2] COPY …" into "[ping 1/2] COPY …". The returned func waits for the last one.
func (d *Display) Follow(prefix string, watch func(*client.SolveStatus)) (chan *client.SolveStatus, func()) {
	in := make(chan *client.SolveStatus)
	ended := make(chan struct{})
	keep := func(*client.SolveStatus) {}
	if d.to != nil {
		keep = d.to.Follow(prefix)
	}
	go func() {
		defer close(ended)
		for s := range in {
			watch(s)
			keep(s)
			for _, v := range s.Vertexes {
				v.Name = prefixed(prefix, v.Name)
			}
			d.send(s)
		}
	}()
	return in, func() { <-ended }
}

// prefixed puts the prefix into the brackets of BuildKit's own names.
func prefixed(prefix, name string) string {
	rest, ok := strings.CutPrefix(name, "[")
	if !ok || prefix == "" || strings.HasPrefix(rest, prefix+"]") {
		return name
	}
	return "[" + prefix + " " + rest
}

// Start implements progress.Reporter.
func (d *Display) Start(name string) progress.Task {
	t := d.start(name)
	if d.to != nil {
		return progress.Both(d.to.Start(name), t)
	}
	return t
}

// Aside shows what is no work, but news about it, and is not recorded.
func (d *Display) Aside() progress.Reporter { return aside{d} }

type aside struct{ d *Display }

// Start implements progress.Reporter.
func (a aside) Start(name string) progress.Task { return a.d.start(name) }

func (d *Display) start(name string) *task {
	now := time.Now()
	t := &task{d: d, v: client.Vertex{Digest: digest.FromString(name + rand.Text()), Name: name, Started: &now}}
	v := t.v
	d.send(&client.SolveStatus{Vertexes: []*client.Vertex{&v}})
	return t
}

type task struct {
	d    *Display
	mu   sync.Mutex
	v    client.Vertex
	last time.Time
}

// amountEvery bounds how often an amount is shown: each one is a line in plain mode.
const amountEvery = 2 * time.Second

func (t *task) Log(line string) {
	t.d.send(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: t.v.Digest, Stream: 1, Data: []byte(line + "\n"), Timestamp: time.Now()}}})
}

func (t *task) Amount(unit string, current, total int64) {
	t.mu.Lock()
	due := time.Since(t.last) >= amountEvery
	if due {
		t.last = time.Now()
	}
	t.mu.Unlock()
	if due {
		t.Log(progress.FormatAmount(unit, current, total))
	}
}

func (t *task) Done(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.v.Completed != nil {
		return
	}
	now := time.Now()
	t.v.Completed = &now
	if err != nil {
		t.v.Error = err.Error()
	}
	v := t.v
	t.d.send(&client.SolveStatus{Vertexes: []*client.Vertex{&v}})
}
