package deploy

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkTenServices measures whole commands over SSH on loopback, for ten services: one with
// nothing to change, and one that updates all of them, beside what Swarm itself takes for that
// (from the first update's start to the last one's end, by its own clock).
func BenchmarkTenServices(b *testing.B) {
	bed := newBed(b)
	ten := func(mode string) string {
		var all []string
		for i := range 10 {
			all = append(all, service(fmt.Sprintf("s%d", i), mode))
		}
		return stack(all...)
	}
	bed.manifest(b, "dev", ten("good"))
	bed.slipway(b, "deploy:env", "dev").exits(b, 0)
	var nothing, update, swarms time.Duration
	mode := "good"
	for b.Loop() {
		began := time.Now()
		bed.slipway(b, "deploy:env", "dev").exits(b, 0).says(b, "unchanged")
		nothing += time.Since(began)
		mode = map[string]string{"good": "good2", "good2": "good"}[mode]
		bed.manifest(b, "dev", ten(mode))
		began = time.Now()
		bed.slipway(b, "deploy:env", "dev").exits(b, 0)
		update += time.Since(began)
		var first, last time.Time
		for _, s := range bed.state(b).Services {
			if from := *s.UpdateStatus.StartedAt; first.IsZero() || from.Before(first) {
				first = from
			}
			if to := *s.UpdateStatus.CompletedAt; to.After(last) {
				last = to
			}
		}
		swarms += last.Sub(first)
	}
	per := func(d time.Duration) float64 { return float64(d.Milliseconds()) / float64(b.N) }
	b.ReportMetric(per(nothing), "nothing-changed-ms")
	b.ReportMetric(per(update), "update-ms")
	b.ReportMetric(per(swarms), "swarms-own-ms")
	b.ReportMetric(per(update)/per(swarms), "ratio")
}
