// Package bench measures slipway's commands as users call them. The engine's own share is
// measured in engine/buildkit, beside the same graph sent by hand.
package bench

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"slipway/engine/embedded"
	"slipway/magefiles/launch"
	"slipway/test/cachedir"
	"slipway/test/figures"
)

// BenchmarkNothingChanged runs build:service ping again in a clone of this repository,
// through mage and as the compiled binary, in turn. The difference is mage's own start.
func BenchmarkNothingChanged(b *testing.B) {
	ctx := b.Context()
	home, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	cache, err := cachedir.Path("bench")
	if err != nil {
		b.Fatal(err)
	}
	clone := filepath.Join(b.TempDir(), "clone")
	if out, err := exec.CommandContext(ctx, "git", "clone", "--quiet", home, clone).CombinedOutput(); err != nil {
		b.Fatalf("cloning %s: %v\n%s", home, err, out)
	}
	b.Setenv("SLIPWAY_CACHE", cache)
	b.Setenv("SLIPWAY_ENGINE", "embedded")
	b.Setenv("SLIPWAY_PROGRESS", "quiet")
	b.Setenv(launch.HomeVar, clone)
	b.Cleanup(func() { _ = embedded.Stop(context.WithoutCancel(ctx), cache) })
	command := func(args ...string) time.Duration {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = clone
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %v\n%s", args, err, out)
		}
		return time.Since(began)
	}
	viaMage := []string{"go", "tool", "mage", "build:service", "ping"}
	command(viaMage...) // compiles, and fills the caches
	binary, err := launch.Binary(clone)
	if err != nil {
		b.Fatal(err)
	}
	mage := figures.Sample{Name: "mage", Command: "go tool mage build:service ping"}
	compiled := figures.Sample{Name: "compiled", Command: "build/slipway build:service ping"}
	for b.Loop() {
		mage.Took(command(viaMage...))
		compiled.Took(command(binary, "build:service", "ping"))
	}
	figures.Record(b, figures.Figure{Work: "nothing changed, 1 service, compiled binary beside mage", Unit: "ms", Ours: compiled, Beside: mage})
}
