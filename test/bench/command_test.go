// Package bench measures slipway's commands as users call them. The engine's own share is
// measured in engine/buildkit, beside the same graph sent by hand.
package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"slipway/engine/embedded"
	"slipway/magefiles/launch"
	"slipway/test/cachedir"
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
	var mage, compiled []time.Duration
	for b.Loop() {
		mage = append(mage, command(viaMage...))
		compiled = append(compiled, command(binary, "build:service", "ping"))
	}
	m, c := report(b, "mage", mage), report(b, "compiled", compiled)
	b.ReportMetric(m-c, "mage-start-ms")
	if info, err := os.Stat(binary); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "binary-MB")
	}
}

// report adds the median, minimum and maximum in milliseconds and returns the median.
func report(b *testing.B, name string, all []time.Duration) float64 {
	b.Helper()
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(all[len(all)/2]), name+"-median-ms")
	b.ReportMetric(ms(all[0]), name+"-min-ms")
	b.ReportMetric(ms(all[len(all)-1]), name+"-max-ms")
	return ms(all[len(all)/2])
}
