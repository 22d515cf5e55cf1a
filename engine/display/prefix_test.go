package display

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client"
)

func TestStepsOfADockerfileAreShownWithTheirService(t *testing.T) {
	for _, test := range []struct{ prefix, name, want string }{
		{"ping", "[1/2] COPY a /a", "[ping 1/2] COPY a /a"},
		{"ping", "[internal] load metadata", "[ping internal] load metadata"},
		{"ping", "[stage-1 2/2] RUN true", "[ping stage-1 2/2] RUN true"},
		{"ping", "[ping] test ping", "[ping] test ping"},
		{"ping", "[pinger 1/2] RUN true", "[ping pinger 1/2] RUN true"},
		{"ping", "exporting to image", "exporting to image"},
		{"", "[1/2] COPY a /a", "[1/2] COPY a /a"},
	} {
		if got := prefixed(test.prefix, test.name); got != test.want {
			t.Errorf("%s of %s is shown as %s, want %s", test.name, test.prefix, got, test.want)
		}
	}
}

func TestABuildIsSeenBeforeItIsShownAndAClosedDisplayBlocksNobody(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	d, err := New(out, "plain", "test")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	ch, wait := d.Follow("ping", func(s *client.SolveStatus) { seen = append(seen, s.Vertexes[0].Name) })
	ch <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:a", Name: "[1/2] COPY"}}}
	d.Close()
	ch <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:b", Name: "[2/2] RUN"}}}
	close(ch)
	wait()
	d.Start("later").Done(nil)
	d.Close()
	if len(seen) != 2 || seen[0] != "[1/2] COPY" || seen[1] != "[2/2] RUN" {
		t.Errorf("the build's own statuses were %v", seen)
	}
}
