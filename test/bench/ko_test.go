package bench

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"

	"slipway/engine"
	"slipway/engine/buildkit"
	"slipway/engine/cabundle"
	"slipway/engine/display"
	"slipway/engine/embedded"
	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/registry"
	"slipway/test/figures"
	"slipway/tools"
)

// BenchmarkImageAlone compiles a service with one changed file, makes its image and pushes it,
// without its checks, beside ko, which does nothing else.
func BenchmarkImageAlone(b *testing.B) {
	s := newShop(b)
	ko := filepath.Join(b.TempDir(), "ko")
	s.must(b, s.home, "go", "build", "-modfile=tools/ko.mod", "-o", ko, "github.com/google/ko")
	base := s.images.Host + "/base:latest"
	pushEmpty(b, base)
	byKo := func() time.Duration {
		return s.must(b, s.path("services"), "KO_DOCKER_REPO="+s.images.Host+"/ko", "KO_DEFAULTBASEIMAGE="+base, "CGO_ENABLED=0",
			ko, "build", "--bare", "--insecure-registry", "--sbom=none", "--platform=linux/"+runtime.GOARCH, "./ping")
	}
	image := newImager(b, s)
	ours := figures.Sample{Name: "slipway", Command: "the plan's steps build, image and push, planned anew each time"}
	theirs := figures.Sample{Name: "ko", Command: "ko build --bare --sbom=none ./ping"}
	s.slipway(b, "image:push", "ping") // downloads, with this machine's settings for it
	image(b)
	byKo()
	for b.Loop() {
		s.change(b)
		ours.Took(image(b))
		s.change(b)
		theirs.Took(byKo())
	}
	figures.Record(b, figures.Figure{
		Work: "image part alone, one Go file changed", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 1,
		Note: "No command leaves the checks out: slipway's part is called in the benchmark's own process, and has no start of one.",
	})
}

// newImager starts the embedded engine for plans without checks.
func newImager(b *testing.B, s *shop) func(*testing.B) time.Duration {
	b.Helper()
	ctx := b.Context()
	server, err := embedded.Start(ctx, embedded.Options{CacheDir: s.cache, ServerSource: filepath.Join(s.home, "tools/buildkitd")})
	check(b, err)
	b.Cleanup(func() { _ = server.Close() })
	c, err := client.New(ctx, server.Addr)
	check(b, err)
	b.Cleanup(func() { _ = c.Close() })
	show, err := display.New(os.Stderr, "quiet", "bench")
	check(b, err)
	b.Cleanup(show.Close)
	runner := buildkit.New(c, buildkit.Options{Name: "bench", Warm: true, Parallel: runtime.NumCPU(), CacheDir: s.cache, Display: show})
	keys, err := registry.LoadKeys(b.TempDir(), nil)
	check(b, err)
	return func(b *testing.B) time.Duration {
		b.Helper()
		began := time.Now()
		tree, err := worktree.Open(ctx, s.dir)
		check(b, err)
		repo, err := pipeline.Discover(tree.Tree, "shop", pipeline.Platform{OS: "linux", Arch: runtime.GOARCH})
		check(b, err)
		service, err := repo.Service("ping")
		check(b, err)
		draft, err := repo.Draft(service, pipeline.Request{Parts: pipeline.Parts{Image: true, Push: true}, Tools: tools.Set(), Registry: s.images.Host + "/alone"})
		check(b, err)
		tags, err := tree.Tags(ctx, map[string]*pipeline.Inputs{"ping": draft.Inputs()}, func(string) {})
		check(b, err)
		plan, err := draft.Plan(tags["ping"])
		check(b, err)
		res, err := runner.Run(ctx, engine.Job{Plan: plan, Root: s.dir, Build: s.path("build"), CABundle: cabundle.PEM(), Push: registry.NewClient(keys)})
		check(b, err)
		if failed := res.Failed(); len(failed) > 0 {
			b.Fatalf("%s: %s\n%s", failed[0].ID, failed[0].Failure.Message, failed[0].Failure.Log)
		}
		return time.Since(began)
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// pushEmpty pushes an image of nothing, which is what the services' own Dockerfile starts from.
func pushEmpty(b *testing.B, ref string) {
	b.Helper()
	r, err := name.ParseReference(ref)
	check(b, err)
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"}})
	check(b, err)
	check(b, remote.Write(r, img))
}
