package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
)

// peer is `docker stack` of a recent Docker CLI. It talks to the daemon's socket directly,
// without SSH between, which is in its favour.
type peer struct {
	*bed
	binary string
}

func newPeer(b *testing.B, bed *bed) *peer {
	b.Helper()
	p := &peer{bed, filepath.Join(b.TempDir(), "dockerstack")}
	build := exec.Command("go", "build", "-o", p.binary, ".")
	build.Dir = filepath.Join(home, "tools", "dockerstack")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("compiling docker stack: %v\n%s", err, out)
	}
	return p
}

// deploy runs docker stack deploy and tells how long it took; its exit code is 0 even after a
// rollback.
func (p *peer) deploy(b *testing.B, text string) time.Duration {
	b.Helper()
	file := filepath.Join(b.TempDir(), "stack.yaml")
	must(b, os.WriteFile(file, []byte("version: \"3.8\"\n"+text), 0o644))
	cmd := exec.Command(p.binary, "deploy", "--detach=false", "-c", file, "peer")
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+p.docker.Host, "REGISTRY="+p.images.Host)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("docker stack deploy: %v\n%s", err, out)
	}
	return time.Since(began)
}

// ten are ten services. How long their tasks have to run is left to Swarm, as in most manifests.
func ten(modes ...string) string {
	var all []string
	for i := range 10 {
		all = append(all, strings.ReplaceAll(service(fmt.Sprintf("s%d", i), modes[i%len(modes)]), ", monitor: 1s", ""))
	}
	return stack(all...)
}

// timed runs slipway to its end.
func (b *bed) timed(t *testing.B, code int, args ...string) (result, time.Duration) {
	t.Helper()
	began := time.Now()
	r := b.slipway(t, args...).exits(t, code)
	return r, time.Since(began)
}

// BenchmarkTenServices measures whole commands over SSH on loopback beside docker stack deploy
// --detach=false on the same daemon, for ten services of which none, all, or one fails.
func BenchmarkTenServices(b *testing.B) {
	bed := newBed(b)
	docker := newPeer(b, bed)
	bed.manifest(b, "dev", ten("good"))
	bed.slipway(b, "deploy:env", "dev").exits(b, 0)
	docker.deploy(b, ten("good"))

	b.Run("nothing changed", func(b *testing.B) {
		var ours, theirs sum
		for b.Loop() {
			r, took := bed.timed(b, 0, "deploy:env", "dev")
			r.says(b, "unchanged")
			ours.add(took)
			theirs.add(docker.deploy(b, ten("good")))
		}
		ours.report(b, "slipway-ms")
		theirs.report(b, "docker-ms")
		b.ReportMetric(theirs.per(b)/ours.per(b), "docker/slipway")
	})

	mode := "good"
	b.Run("all updated", func(b *testing.B) {
		var ours, over, theirs sum
		for b.Loop() {
			mode = map[string]string{"good": "good2", "good2": "good"}[mode]
			bed.manifest(b, "dev", ten(mode))
			_, took := bed.timed(b, 0, "deploy:env", "dev")
			ours.add(took)
			over.add(took - converged(bed.ofStack(b, "repo_dev")))
			theirs.add(docker.deploy(b, ten(mode)))
		}
		ours.report(b, "slipway-ms")
		over.report(b, "over-swarm-ms")
		theirs.report(b, "docker-ms")
		b.ReportMetric(theirs.per(b)/ours.per(b), "docker/slipway")
	})

	b.Run("one fails", func(b *testing.B) {
		bad := strings.Replace(ten(mode), "app:"+mode, "app:sick", 1)
		var ours, reason, theirs sum
		for b.Loop() {
			bed.manifest(b, "dev", bad)
			began := time.Now()
			p := bed.start(b, nil, "deploy:env", "dev")
			eventually(b, "the reason is told", func() bool { return p.ended() || strings.Contains(p.stderr.String(), "its health check fails") })
			told := time.Now()
			p.wait(b).exits(b, 3).says(b, "its health check fails")
			ours.add(time.Since(began))
			reason.add(told.Sub(*bed.state(b).Service("repo_dev_s0").UpdateStatus.CompletedAt))
			theirs.add(docker.deploy(b, bad))
		}
		ours.report(b, "slipway-ms")
		reason.report(b, "reason-after-rollback-ms")
		theirs.report(b, "docker-ms")
		b.ReportMetric(theirs.per(b)/ours.per(b), "docker/slipway")
	})
}

// converged is what Swarm itself took for its updates: from the first one's start to the last
// one's end, by its own clock.
func converged(services []swarm.Service) time.Duration {
	var first, last time.Time
	for _, s := range services {
		if from := *s.UpdateStatus.StartedAt; first.IsZero() || from.Before(first) {
			first = from
		}
		if to := *s.UpdateStatus.CompletedAt; to.After(last) {
			last = to
		}
	}
	return last.Sub(first)
}

func (b *bed) ofStack(t testing.TB, stack string) (out []swarm.Service) {
	for _, s := range b.state(t).Services {
		if strings.HasPrefix(s.Spec.Name, stack+"_") {
			out = append(out, s)
		}
	}
	return out
}

type sum time.Duration

func (s *sum) add(d time.Duration) { *s += sum(d) }
func (s sum) per(b *testing.B) float64 {
	return float64(time.Duration(s).Milliseconds()) / float64(b.N)
}
func (s sum) report(b *testing.B, unit string) { b.ReportMetric(s.per(b), unit) }
