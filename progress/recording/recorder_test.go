package recording

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// clock is a clock that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func newClock() *clock {
	return &clock{time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}
}

// lines are a group's spans in a short form.
func lines(r Recording, group string) []string {
	var out []string
	for _, g := range r.Groups {
		for _, s := range g.Spans {
			if g.Name != group {
				continue
			}
			line := fmt.Sprintf("%d<%d %s %s %v-%v", s.ID, s.Parent, s.Name, s.State, s.Began.Sub(r.Began), s.Ended.Sub(r.Began))
			if s.Message != "" {
				line += " " + s.Message
			}
			for _, l := range s.Log {
				line += fmt.Sprintf(" | %v %s", l.At.Sub(r.Began), l.Text)
			}
			out = append(out, line)
		}
	}
	return out
}

func expect(t *testing.T, r Recording, group string, want ...string) {
	t.Helper()
	if got := strings.Join(lines(r, group), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant\n%s", group, got, strings.Join(want, "\n"))
	}
}

func TestTasks(t *testing.T) {
	c := newClock()
	r := New(c.now)
	if !r.Empty() {
		t.Error("a new recording has something in it")
	}
	connect := r.In("deploy dev").Start("connecting")
	c.pass(time.Second)
	connect.Log("by ssh")
	connect.Done(nil)
	connect.Done(errors.New("too late to count"))
	wait := r.In("deploy dev").Start("waiting for ping")
	other := r.In("deploy dev").Start("waiting for backend")
	c.pass(time.Second)
	wait.Done(errors.New("rolled back: it exited with 3"))
	other.Done(errors.New("stopped by interrupt"))
	left := r.In("deploy dev").Start("waiting for frontend")
	left.Done(context.Canceled)
	r.In("deploy dev").Start("taking back ping")
	c.pass(time.Second)
	got := r.Recording(errors.New("stopped by interrupt"))
	expect(t, got, "deploy dev",
		"1<0 connecting done 0s-1s | 1s by ssh",
		"2<0 waiting for ping failed 1s-2s rolled back: it exited with 3",
		"3<0 waiting for backend interrupted 1s-2s stopped by interrupt",
		"4<0 taking back ping interrupted 2s-3s",
		"5<0 waiting for frontend interrupted 2s-2s")
	if got.Groups[0].State != Failed || r.Empty() {
		t.Errorf("the deploy's state is %s", got.Groups[0].State)
	}
}

// at is a time that BuildKit reports.
func at(t time.Time, after time.Duration) *time.Time {
	t = t.Add(after)
	return &t
}

func TestAPlanOnABuildKit(t *testing.T) {
	c := newClock()
	began := c.Time
	r := New(c.now)
	ping := r.In("ping")
	watch := r.In("slipway").Follow("ping")
	status := func(logs []*client.VertexLog, v ...*client.Vertex) {
		watch(&client.SolveStatus{Vertexes: v, Logs: logs})
	}
	vertex := func(name string, from, to time.Duration) *client.Vertex {
		v := &client.Vertex{Digest: digest.FromString(name), Name: name, Started: at(began, from)}
		if to != 0 {
			v.Completed = at(began, to)
		}
		return v
	}
	log := func(name, text string, after time.Duration) []*client.VertexLog {
		return []*client.VertexLog{{Vertex: digest.FromString(name), Data: []byte(text), Timestamp: *at(began, after)}}
	}
	ping.Step("ping/test", "test ping", false)
	status(nil, vertex("[ping] files of ping", -time.Second, 200*time.Millisecond), &client.Vertex{Digest: "sha256:a", Name: "[ping] never needed"})
	status(nil, vertex("[ping] test ping", 500*time.Millisecond, 0), vertex("[internal] done before", -2*time.Second, -time.Second))
	c.pass(2 * time.Second)
	status(log("[ping] test ping", "ok\n1%\r50%\r100%\n\x1b[31mre", time.Second))
	status(log("[ping] test ping", "d\x1b[0m\nlast", 2*time.Second))
	failed := vertex("[ping] test ping", 500*time.Millisecond, 2*time.Second)
	failed.Error = "process did not complete"
	status(nil, failed)
	ping.StepEnded("ping/test", "test ping", Failed, "exit status 1", 0)
	ping.Output("ping/test", "not this")
	ping.Step("ping/image", "image ping", true)
	c.pass(2 * time.Second)
	cached := vertex("[1/2] FROM alpine", 2500*time.Millisecond, 2600*time.Millisecond)
	cached.Cached = true
	status(nil, cached, vertex("[2/2] COPY", 3*time.Second, 0))
	ping.StepEnded("ping/image", "image ping", Skipped, "", 0)
	ping.StepEnded("ping/push", "push ping", Skipped, "", 0)
	ping.StepEnded("ping/lint", "lint ping", Done, "", 3*time.Second) // of an engine that tells afterwards
	ping.Output("ping/lint", "all well\n")
	ping.Fact("tag", "1")
	ping.Fact("digest", "")
	got := r.Recording(errors.New("stopped"))
	expect(t, got, "ping",
		"1<0 test ping failed 0s-2s exit status 1 | 1s ok | 1s 100% | 2s red | 2s last",
		"2<0 [ping] files of ping done 0s-200ms",
		"3<0 [internal] done before cached 0s-0s",
		"4<0 lint ping done 1s-4s | 4s all well",
		"5<0 image ping interrupted 2s-4s",
		"6<5 [1/2] FROM alpine cached 2.5s-2.6s",
		"7<5 [2/2] COPY interrupted 3s-4s",
		"8<0 push ping skipped 4s-4s")
	if g := got.Groups[0]; len(got.Groups) != 1 || g.State != Failed || fmt.Sprint(g.Facts) != "[{tag 1}]" {
		t.Errorf("groups: %+v", got.Groups)
	}
}

func TestTheClockOfAnotherMachineDoesNotMatter(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		c := newClock()
		began := c.Time
		r := New(c.now)
		watch := r.In("slipway").Follow("ping")
		v := client.Vertex{Digest: digest.FromString("x"), Name: "x", Started: at(began, skew+time.Second)}
		c.pass(time.Second)
		first := v
		watch(&client.SolveStatus{Vertexes: []*client.Vertex{&first}})
		v.Completed = at(began, skew+3*time.Second)
		c.pass(3 * time.Second) // told a second late
		watch(&client.SolveStatus{Vertexes: []*client.Vertex{&v}})
		expect(t, r.Recording(nil), "ping", "1<0 x done 1s-3s")
	}
}

func TestALogKeepsItsEnd(t *testing.T) {
	c := newClock()
	r := New(c.now)
	task := r.In("x").Start("much to say")
	task.Log(strings.Repeat("€", 3000))
	for i := range 20_000 {
		task.Log(fmt.Sprintf("line %d of some length", i))
	}
	task.Done(nil)
	s := r.Recording(nil).Groups[0].Spans[0]
	if s.Log[len(s.Log)-1].Text != "line 19999 of some length" || s.Dropped == 0 || s.Dropped+len(s.Log) != 20_001 {
		t.Errorf("%d lines and %d dropped, the last %q", len(s.Log), s.Dropped, s.Log[len(s.Log)-1].Text)
	}
	if got := Plain("\x1b]8;;http://x\x07a\x1b]8;;\x07\x00\xff b\t\x1b[1;31mc\x1b[0m\r"); got != "a b\tc" {
		t.Errorf("plain is %q", got)
	}
}
