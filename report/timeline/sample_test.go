package timeline

import (
	"fmt"
	"time"

	"slipway/progress/recording"
)

var epoch = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

func span(id, parent int, name string, from, to float64, state recording.State) recording.Span {
	return recording.Span{ID: id, Parent: parent, Name: name, Began: at(from), Ended: at(to), State: state}
}

func detail(id, parent int, name string, from, to float64, state recording.State) recording.Span {
	s := span(id, parent, name, from, to, state)
	s.Detail = true
	return s
}

func logged(s recording.Span, lines ...string) recording.Span {
	for i, l := range lines {
		s.Log = append(s.Log, recording.Line{At: s.Began.Add(s.Took() * time.Duration(i+1) / time.Duration(len(lines)+1)), Text: l})
	}
	return s
}

// pipeline is a run in which much happens: a service that is built, one whose test fails, and a
// deploy that is taken back.
func pipeline() recording.Recording {
	failed := logged(span(13, 0, "test backend", 11.2, 24.9, recording.Failed),
		"=== RUN   TestPostIsKept", "    store_test.go:41: got <nil>, want a post & its \"author\"", "--- FAIL: TestPostIsKept (0.31s)", "FAIL", "FAIL\tbackend/store\t0.412s")
	failed.Message = "test backend failed with exit status 1"
	failed.Notes = []string{"services/backend/store/store_test.go:41: TestPostIsKept: got <nil>, want a post & its \"author\"", "Repeat only this: go tool mage build:test backend"}
	failed.Dropped = 12
	wait := logged(span(19, 0, "waiting for ping", 31.4, 44.8, recording.Failed), "0 of 2 up to date, 2 preparing", "0 of 2 up to date, 1 starting, 1 running", "rolling back: the task exited with 3 twice")
	wait.Message = "rolled back: the task exited with 3 twice"
	return recording.Recording{
		Title: "ci:run -event=merge -branch=main", Began: at(0), Ended: at(47.3), State: recording.Failed, Exit: 3,
		Verdict: "failed: backend; shop_dev was rolled back", Repeat: "go tool mage ci:run -event=merge -branch=main",
		Facts: []recording.Fact{{Name: "commit", Value: "22f8005a6be0b8e7c4b4f4c2d7a5b8f0a1b2c3d4"}, {Name: "branch", Value: "main"}, {Name: "engine", Value: "embedded BuildKit v0.33.1"}},
		Groups: []recording.Group{
			{Name: "slipway", State: recording.Done, Spans: []recording.Span{
				span(1, 0, "planning", 0.02, 0.31, recording.Done),
				logged(span(2, 0, "downloading Go 1.26.3 for linux/amd64 (once)", 0.35, 4.2, recording.Done), "checksum h1:Zm9vYmFy verified"),
			}},
			{Name: "ping", State: recording.Done, Facts: []recording.Fact{{Name: "tag", Value: "20261120_4605cc6e"}, {Name: "digest", Value: "sha256:9c4964ab8b6cf31a8b6cf31a9c4964ab8b6cf31a8b6cf31a9c4964ab8b6cf31a"}}, Spans: []recording.Span{
				detail(3, 0, "[ping] files of ping", 4.3, 4.6, recording.Done),
				detail(4, 0, "toolchain Go 1.26.3", 4.3, 4.3, recording.Cached),
				span(5, 0, "build ping", 4.4, 4.5, recording.Cached),
				logged(span(6, 0, "test ping", 4.6, 14.9, recording.Done), "ok  \tping\t0.032s", "ok  \tping/answer\t0.011s"),
				span(7, 0, "image ping", 15.0, 20.4, recording.Done),
				detail(8, 7, "[1/3] FROM docker.io/library/alpine:3.20", 15.1, 15.2, recording.Cached),
				detail(9, 7, `[2/3] RUN adduser -D app && echo "</pre><script>window.pwned = true</script>"`, 15.4, 18.1, recording.Done),
				detail(22, 7, "[internal] build context", 15.0, 15.01, recording.Done),
				detail(10, 7, "[3/3] COPY build/ping /ping", 18.1, 18.2, recording.Done),
			}},
			{Name: "backend", State: recording.Failed, Facts: []recording.Fact{{Name: "tag", Value: "20261123_22f8005a"}}, Spans: []recording.Span{
				span(11, 0, "build backend", 4.4, 11.1, recording.Done),
				span(12, 0, "lint backend", 11.2, 19.3, recording.Done),
				failed,
				span(14, 0, "image backend", 25.0, 25.0, recording.Skipped),
			}},
			{Name: "deploy dev", State: recording.Failed, Message: "ping did not come up: the task exited with 3 twice", Spans: []recording.Span{
				span(15, 0, "connecting to deploy@dev.example.com", 26.0, 26.9, recording.Done),
				span(16, 0, "looking up digests", 26.9, 30.2, recording.Done),
				span(17, 0, "updating frontend", 30.6, 31.2, recording.Done),
				span(18, 0, "updating ping", 30.6, 31.3, recording.Done),
				wait,
				logged(span(20, 0, "waiting for frontend", 31.4, 38.0, recording.Done), "1 of 1 up to date, 1 starting", "1 of 1 up to date, 1 running"),
				span(21, 0, "taking back frontend", 44.9, 47.2, recording.Interrupted),
			}, Services: []recording.Service{
				{Name: "frontend", Change: "update", State: "taken back", Tasks: "1/1", Image: "registry.example.com/shop/frontend:20261120_4605cc6e@sha256:12345678abcd"},
				{Name: "ping", Change: "update", State: "rolled back", Tasks: "2/2", Image: "registry.example.com/shop/ping:20261123_22f8005a@sha256:9c4964ab8b6c", Failed: true,
					Why: "ping: rolled back\n  why        the task exited with 3 twice\n  task       k3j2 on node-1\n  log        panic: no <config>"},
			}},
		},
	}
}

// long is a run with more output than a page has room for.
func long() recording.Recording {
	r := recording.Recording{Title: "build:service big", Began: at(0), Ended: at(100), State: recording.Failed, Verdict: "failed: big"}
	g := recording.Group{Name: "big", State: recording.Failed}
	for n := range 3 {
		s := span(n+1, 0, fmt.Sprintf("step %d", n+1), float64(n*30), float64(n*30+30), recording.Done)
		for i := range 10_000 {
			s.Log = append(s.Log, recording.Line{At: s.Began.Add(time.Duration(i) * time.Millisecond), Text: fmt.Sprintf("step %d says <%d> at some length", n+1, i)})
		}
		g.Spans = append(g.Spans, s)
	}
	g.Spans[0].State = recording.Failed // its lines are the oldest, and the ones that matter
	r.Groups = []recording.Group{g}
	return r
}
