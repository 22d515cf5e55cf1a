package buildkit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

func vertex(name string, at *time.Time, cached bool) *client.Vertex {
	return &client.Vertex{Digest: digest.FromString(name), Name: name, Started: at, Completed: at, Cached: cached}
}

func TestAStepHasEndedWhenItsStatusSaysSo(t *testing.T) {
	tr, now := newTracker(), created
	answer := make(chan bool)
	go func() {
		ran, err := tr.ended(t.Context(), digest.FromString("run"))
		answer <- ran && err == nil
	}()
	tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: digest.FromString("run"), Name: "run", Started: &now}}})
	tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{vertex("another", &now, false)}})
	tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{vertex("run", &now, false)}})
	if !<-answer {
		t.Error("a step that ran is said not to have run")
	}
	tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{vertex("cached", &now, true)}})
	if ran, err := tr.ended(t.Context(), digest.FromString("cached")); ran || err != nil {
		t.Errorf("a cached step: ran %v, %v", ran, err)
	}
	tr.patience = time.Millisecond
	tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: digest.FromString("merged"), Name: "merged", Started: &now}}})
	if ran, err := tr.ended(t.Context(), digest.FromString("merged")); ran || err != nil {
		t.Errorf("a step whose work another build did: ran %v, %v", ran, err)
	}
	tr.patience = time.Hour
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("stopped by interrupt"))
	if _, err := tr.ended(stopped, digest.FromString("never")); err == nil || err.Error() != "stopped by interrupt" {
		t.Errorf("waiting in vain ends with %v", err)
	}
}

func TestOnlyWorkCountsAsRun(t *testing.T) {
	now := created
	for name, want := range map[string]bool{
		"[1/2] COPY a /a":             true,
		"[stage-1 2/2] RUN true":      true,
		"[internal] load build files": false,
		"[ping internal] binary":      false,
		"[ping] files of ping":        false,
		"toolchain Go 1.26.8":         false,
		"exporting to image":          false,
	} {
		tr := newTracker()
		tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{vertex(name, &now, false)}})
		if got := tr.ranAny(nil); got != want {
			t.Errorf("%s: counted %v", name, got)
		}
		if tr.ranAny(map[digest.Digest]bool{digest.FromString(name): true}) {
			t.Errorf("%s is known and counts all the same", name)
		}
		tr.watch(&client.SolveStatus{Vertexes: []*client.Vertex{vertex(name, &now, true)}})
		if tr.ranAny(nil) {
			t.Errorf("%s is cached and counts all the same", name)
		}
	}
}

func TestTheEndOfALongLogIsKept(t *testing.T) {
	tr := newTracker()
	line := strings.Repeat("x", 1023) + "\n"
	for range 2000 { // 2 MB
		tr.watch(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: "v", Data: []byte(line)}}})
	}
	tr.watch(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: "v", Data: []byte("the finding\n")}}})
	got := tr.log("v")
	if !strings.HasSuffix(got, "the finding\n") || len(got) < logLimit || len(got) > 2*logLimit+len(line) {
		t.Errorf("%d bytes are kept, ending in %q", len(got), got[max(0, len(got)-20):])
	}
	if other := tr.log("other"); other != "" {
		t.Errorf("a step that said nothing said %q", other)
	}
}
