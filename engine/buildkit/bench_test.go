package buildkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/tonistiigi/fsutil"

	"slipway/engine"
	"slipway/engine/cabundle"
	"slipway/engine/display"
	"slipway/engine/embedded"
	"slipway/engine/toolchain"
	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/test/cachedir"
	"slipway/test/figures"
	"slipway/tools"
)

// BenchmarkUnchanged runs the plan of the sample service ping when nothing has changed,
// in turn with the same graph sent to BuildKit by hand.
func BenchmarkUnchanged(b *testing.B) {
	k := newBench(b)
	k.compare(b, "nothing changed, engine's share", 1.2, func(int) {})
}

// BenchmarkOneFileChanged does the same after a change of one file of the service.
func BenchmarkOneFileChanged(b *testing.B) {
	k := newBench(b)
	k.compare(b, "one file changed, engine's share", 0, func(n int) {
		file := filepath.Join(k.root, "services/ping/changed.go")
		src := fmt.Sprintf("package main\n\n// changed is %d, at %d.\nconst changed = %d\n\nvar _ = changed\n", n, time.Now().UnixNano(), n)
		if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
			b.Fatal(err)
		}
	})
}

type bench struct {
	root   string
	runner *Runner
	c      *client.Client
	images map[string]*toolchain.Image
}

func newBench(b *testing.B) *bench {
	b.Helper()
	ctx := b.Context()
	home, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	k := &bench{root: filepath.Join(b.TempDir(), "clone")}
	if out, err := exec.CommandContext(ctx, "git", "clone", "--quiet", home, k.root).CombinedOutput(); err != nil {
		b.Fatalf("cloning %s: %v\n%s", home, err, out)
	}
	cache, err := cachedir.Path("bench")
	if err != nil {
		b.Fatal(err)
	}
	show, err := display.New(os.Stderr, "quiet", "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(show.Close)
	s, err := embedded.Start(ctx, embedded.Options{CacheDir: cache, ServerSource: filepath.Join(home, "tools/buildkitd")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = embedded.Stop(context.WithoutCancel(ctx), cache) })
	b.Cleanup(func() { _ = s.Close() })
	if k.c, err = client.New(ctx, s.Addr); err != nil {
		b.Fatal(err)
	}
	k.runner = New(k.c, Options{Name: "bench", Warm: true, Parallel: runtime.NumCPU(), CacheDir: cache, Display: show})
	b.Cleanup(func() { _ = k.c.Close() })
	k.images = map[string]*toolchain.Image{}
	for _, v := range k.plan(b).Requires {
		if k.images[v], err = toolchain.Prepare(ctx, toolchain.Options{Go: v, CacheDir: cache}); err != nil {
			b.Fatal(err)
		}
	}
	k.ours(b, k.plan(b)) // fills the caches
	k.byHand(b, k.plan(b))
	return k
}

func (k *bench) plan(b *testing.B) *pipeline.Plan {
	b.Helper()
	ctx := b.Context()
	tree, err := worktree.Open(ctx, k.root)
	if err != nil {
		b.Fatal(err)
	}
	repo, err := pipeline.Discover(tree.Tree, "bench", pipeline.Platform{OS: "linux", Arch: runtime.GOARCH})
	if err != nil {
		b.Fatal(err)
	}
	s, err := repo.Service("ping")
	if err != nil {
		b.Fatal(err)
	}
	d, err := repo.Draft(s, pipeline.Request{Parts: pipeline.Check, Tools: tools.Set()})
	if err != nil {
		b.Fatal(err)
	}
	tags, err := tree.Tags(ctx, map[string]*pipeline.Inputs{"ping": d.Inputs()}, func(string) {})
	if err != nil {
		b.Fatal(err)
	}
	plan, err := d.Plan(tags["ping"])
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

// compare measures both in turn, so that a slow moment of the machine hits both.
func (k *bench) compare(b *testing.B, work string, most float64, change func(int)) {
	ours := figures.Sample{Name: "slipway", Command: "the plan of build:service ping, run by engine/buildkit in the benchmark's own process"}
	hand := figures.Sample{Name: "by-hand", Command: "the same graph, solved with BuildKit's client"}
	n := 0
	measure := func(f func(*testing.B, *pipeline.Plan)) time.Duration {
		n++
		change(n)
		plan := k.plan(b)
		began := time.Now()
		f(b, plan)
		return time.Since(began)
	}
	for b.Loop() {
		ours.Took(measure(k.ours))
		hand.Took(measure(k.byHand))
	}
	figures.Record(b, figures.Figure{Work: work, Unit: "ms", Ours: ours, Beside: hand, AtMost: most})
}

func (k *bench) ours(b *testing.B, plan *pipeline.Plan) {
	b.Helper()
	res, err := k.runner.Run(b.Context(), engine.Job{Plan: plan, Root: k.root, Build: filepath.Join(k.root, "build"), Secrets: hostCA(), CABundle: cabundle.PEM()})
	if err != nil {
		b.Fatal(err)
	}
	if failed := res.Failed(); len(failed) > 0 {
		b.Fatalf("%s: %s\n%s", failed[0].ID, failed[0].Failure.Message, failed[0].Failure.Log)
	}
}

// byHand sends the plan's graph as somebody would who writes for BuildKit's client: one
// solve for the checks, exporting their files, and one for the Dockerfile, exporting an
// OCI layout.
func (k *bench) byHand(b *testing.B, plan *pipeline.Plan) {
	b.Helper()
	ctx := b.Context()
	platform, err := platforms.Parse(plan.Platform)
	if err != nil {
		b.Fatal(err)
	}
	g := &graph{plan: plan, platform: platform, caBundle: cabundle.PEM(), toolchains: map[string]llb.State{}, outputs: map[string]llb.State{}}
	opt := client.SolveOpt{LocalMounts: map[string]fsutil.FS{}, OCIStores: map[string]content.Store{}, Session: []session.Attachable{secretsprovider.FromMap(hostCA())}}
	for v, img := range k.images {
		st, err := llb.OCILayout("slipway/toolchain:go"+v+"@"+img.Digest.String(), llb.OCIStore("", storeName(v))).WithImageConfig(img.Config)
		if err != nil {
			b.Fatal(err)
		}
		g.toolchains[v], opt.OCIStores[storeName(v)] = st, img.Store()
	}
	for i := range plan.Sources {
		src := &plan.Sources[i]
		if opt.LocalMounts[localName(plan.Service, src.Name)], err = newSource(k.root, src); err != nil {
			b.Fatal(err)
		}
	}
	all := llb.Scratch()
	var image *pipeline.Step
	for i := range plan.Steps {
		s := &plan.Steps[i]
		if s.Build != nil {
			image = s
		}
		if s.Run == nil {
			continue
		}
		out, err := g.run(s, "")
		if err != nil {
			b.Fatal(err)
		}
		if s.ID[:5] != "tool/" {
			all = all.File(llb.Copy(out, "/", "/"+s.ID+"/", &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}))
		}
	}
	def, err := all.Marshal(ctx)
	if err != nil {
		b.Fatal(err)
	}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: filepath.Join(k.root, "build/hand")}}
	if _, err := k.c.Solve(ctx, def, opt, nil); err != nil {
		b.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(k.root, image.Build.Dockerfile))
	if err != nil {
		b.Fatal(err)
	}
	in, err := g.context(image)
	if err != nil {
		b.Fatal(err)
	}
	opt.Frontend, opt.FrontendAttrs = "dockerfile.v0", g.frontendOpts(image.Build)
	opt.FrontendInputs = map[string]llb.State{"context": in, "dockerfile": g.dockerfile(image.Build, file)}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterOCI, Attrs: map[string]string{"tar": "false"}, OutputDir: filepath.Join(k.root, "build/hand.oci")}}
	if _, err := k.c.Solve(ctx, nil, opt, nil); err != nil {
		b.Fatal(err)
	}
}

func hostCA() map[string][]byte {
	data, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		return nil
	}
	return map[string][]byte{pipeline.SecretCA: data}
}
