package bench

import (
	"path/filepath"
	"testing"
	"time"

	"slipway/test/figures"
)

const seedsWay = "go build, golangci-lint run, go test, docker build, docker push"

// handmade is what a Makefile does that calls the tools by hand, one after the other: each with
// its own cache, which is warm.
type handmade struct {
	*shop
	lint string
}

func newHandmade(b *testing.B, s *shop) *handmade {
	b.Helper()
	m := &handmade{shop: s, lint: filepath.Join(b.TempDir(), "golangci-lint")}
	s.must(b, s.home, "go", "build", "-modfile=tools/golangci-lint.mod", "-o", m.lint, "github.com/golangci/golangci-lint/v2/cmd/golangci-lint")
	return m
}

// release checks a service, and builds and pushes its image.
func (m *handmade) release(b *testing.B, service string) (took time.Duration) {
	b.Helper()
	dir := m.path("services")
	dockerfile := "Dockerfile"
	if service == "backend" {
		dockerfile = "backend/Dockerfile"
	}
	host, image := "DOCKER_HOST="+m.daemon(b).Host, m.images.Host+"/by-hand/"+service+":latest"
	for _, command := range [][]string{
		{"CGO_ENABLED=0", "go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", "build/" + service, "./" + service},
		{m.lint, "run", "--allow-parallel-runners", "./" + service + "/..."},
		{"CGO_ENABLED=0", "go", "test", "./" + service + "/..."},
		{host, "DOCKER_BUILDKIT=1", "/usr/bin/docker", "build", "--quiet", "-f", dockerfile, "--build-arg", "DAEMON=" + service, "-t", image, "."},
		{host, "/usr/bin/docker", "push", "--quiet", image},
	} {
		took += m.must(b, dir, command...)
	}
	return took
}

// BenchmarkFourServicesUnchanged pushes four services again of which nothing has changed.
func BenchmarkFourServicesUnchanged(b *testing.B) {
	s := newShop(b)
	m := newHandmade(b, s)
	all := "backend,ping,pong,peng"
	ours := figures.Sample{Name: "slipway", Command: "slipway image:push " + all}
	theirs := figures.Sample{Name: "by-hand", Command: seedsWay + ", for each service"}
	byHand := func() (took time.Duration) {
		for _, service := range shopServices {
			took += m.release(b, service)
		}
		return took
	}
	s.slipway(b, "image:push", all) // fills the caches
	byHand()
	for b.Loop() {
		ours.Took(s.slipway(b, "image:push", all))
		theirs.Took(byHand())
	}
	figures.Record(b, figures.Figure{Work: "nothing changed, 4 services, whole command", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 0.2})
}

// BenchmarkOneServiceChanged checks and pushes a service with one changed file.
func BenchmarkOneServiceChanged(b *testing.B) {
	s := newShop(b)
	m := newHandmade(b, s)
	ours := figures.Sample{Name: "slipway", Command: "slipway image:push ping"}
	theirs := figures.Sample{Name: "by-hand", Command: seedsWay}
	s.slipway(b, "image:push", "ping")
	m.release(b, "ping")
	for b.Loop() {
		s.change(b)
		ours.Took(s.slipway(b, "image:push", "ping"))
		s.change(b)
		theirs.Took(m.release(b, "ping"))
	}
	figures.Record(b, figures.Figure{Work: "one file of one service changed: check, image, push", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 0.6})
}

// BenchmarkSameInputsAgain gives an image that is there the tag of another commit of the same
// content.
func BenchmarkSameInputsAgain(b *testing.B) {
	s := newShop(b)
	m := newHandmade(b, s)
	ours := figures.Sample{Name: "slipway", Command: "git commit --amend; slipway image:push ping"}
	theirs := figures.Sample{Name: "docker-push", Command: "docker tag; docker push"}
	s.slipway(b, "image:push", "ping")
	m.release(b, "ping")
	host, image := "DOCKER_HOST="+m.daemon(b).Host, s.images.Host+"/by-hand/ping"
	for b.Loop() {
		s.amend(b)
		ours.Took(s.slipway(b, "image:push", "ping"))
		tag := image + ":" + time.Now().Format("150405.000000")
		s.must(b, s.dir, host, "/usr/bin/docker", "tag", image+":latest", tag)
		theirs.Took(s.must(b, s.dir, host, "/usr/bin/docker", "push", "--quiet", tag))
	}
	figures.Record(b, figures.Figure{Work: "same inputs under a new commit: its tag", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 1})
	figures.Record(b, figures.Figure{Work: "same inputs under a new commit: its tag, alone", Unit: "ms", Ours: ours, AtMost: 300})
}
