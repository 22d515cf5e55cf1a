package choose

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/cli/cli/config/types"

	"slipway/engine"
	"slipway/engine/cabundle"
	"slipway/engine/display"
	"slipway/engine/embedded"
	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/test/cachedir"
	"slipway/test/gitrepo"
	"slipway/tools"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ran is what a plan's run gave.
type ran struct {
	plan          *pipeline.Plan
	build, digest string
	states        map[string]bool // by step: it succeeded
}

// runOn runs the plans of services (their build, tests and image; compiling the linter is
// left out) on the engine of those options, with a fresh cache directory.
func runOn(t *testing.T, o Options, r *gitrepo.Repo, services ...string) map[string]ran {
	t.Helper()
	show, err := display.New(os.Stderr, "quiet", "test")
	must(t, err)
	defer show.Close()
	o.Display, o.CacheDir, o.ServerSource = show, cacheDir(t), "../../tools/buildkitd"
	o.Auth = func(string) (types.AuthConfig, error) { return types.AuthConfig{}, nil }
	e, err := Open(t.Context(), o)
	must(t, err)
	defer func() { must(t, e.Close()) }()
	out := map[string]ran{}
	for _, plan := range plansOf(t, r, services) {
		build := t.TempDir()
		res, err := e.Run(t.Context(), engine.Job{Plan: plan, Root: r.Dir, Build: build, CABundle: cabundle.PEM(), Secrets: goSecrets(t)})
		must(t, err)
		one := ran{plan: plan, build: build, digest: res.Digest, states: map[string]bool{}}
		for _, s := range res.Steps {
			one.states[s.ID] = s.State == engine.Done || s.State == engine.Cached
			if s.Failure != nil {
				t.Fatalf("%s on %s: %s\n%s", s.ID, e.Name(), s.Failure.Message, s.Failure.Log)
			}
		}
		out[plan.Service] = one
	}
	return out
}

func plansOf(t *testing.T, r *gitrepo.Repo, services []string) (plans []*pipeline.Plan) {
	t.Helper()
	tree, err := worktree.Open(t.Context(), r.Dir)
	must(t, err)
	repo, err := pipeline.Discover(tree.Tree, "sample", pipeline.Platform{OS: "linux", Arch: arch})
	must(t, err)
	for _, name := range services {
		s, err := repo.Service(name)
		must(t, err)
		draft, err := repo.Draft(s, pipeline.Request{Parts: pipeline.Parts{Test: true, Image: true}, Tools: tools.Set()})
		must(t, err)
		tags, err := tree.Tags(t.Context(), map[string]*pipeline.Inputs{name: draft.Inputs()}, func(w string) { t.Error(w) })
		must(t, err)
		plan, err := draft.Plan(tags[name])
		must(t, err)
		plans = append(plans, plan)
	}
	return plans
}

// cacheDir is a cache of the test's own, whose engine it stops; what is dear to make in
// it is shared with the repository's other tests.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir := cachedir.Run(t, "choose", func(dir string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return embedded.Stop(ctx, dir)
	})
	for _, name := range []string{"bin", "debian", "toolchain"} {
		shared, err := cachedir.Path("e2e", name)
		must(t, err)
		must(t, os.Symlink(shared, filepath.Join(dir, name)))
	}
	return dir
}
