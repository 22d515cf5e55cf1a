package display

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"slipway/progress/recording"
)

func TestWhatIsShownIsRecordedAndNewsAboutItIsNot(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	d, err := New(out, "plain", "test")
	if err != nil {
		t.Fatal(err)
	}
	r := recording.New(time.Now)
	d.Record(r.In("slipway"))
	task := d.Start("compiling the engine")
	task.Log("half of it")
	task.Done(nil)
	d.Aside().Start("ping has failed").Done(nil)
	ch, wait := d.Follow("ping", func(*client.SolveStatus) {})
	now := time.Now()
	ch <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:a", Name: "[1/2] COPY", Started: &now, Completed: &now}}}
	close(ch)
	wait()
	d.Close()
	var got []string
	for _, g := range r.Recording(nil).Groups {
		for _, s := range g.Spans {
			got = append(got, g.Name+": "+s.Name)
			for _, l := range s.Log {
				got = append(got, l.Text)
			}
		}
	}
	if want := "slipway: compiling the engine, half of it, ping: [1/2] COPY"; strings.Join(got, ", ") != want {
		t.Errorf("recorded: %s, want %s", strings.Join(got, ", "), want)
	}
	shown, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"compiling the engine", "half of it", "ping has failed", "[ping 1/2] COPY"} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
}
