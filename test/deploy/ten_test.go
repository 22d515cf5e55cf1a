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

	"slipway/test/figures"
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
	r := b.slipway(t, args...).Exits(t, code)
	return r, time.Since(began)
}

// BenchmarkTenServices measures whole commands over SSH on loopback beside docker stack deploy
// --detach=false on the same daemon, for ten services of which none, all, or one fails.
func BenchmarkTenServices(b *testing.B) {
	bed := newBed(b)
	docker := newPeer(b, bed)
	bed.manifest(b, "dev", ten("good"))
	bed.slipway(b, "deploy:env", "dev").Exits(b, 0)
	docker.deploy(b, ten("good"))

	sample := func() (figures.Sample, figures.Sample) {
		return figures.Sample{Name: "slipway", Command: "slipway deploy dev, over SSH on loopback"},
			figures.Sample{Name: "docker", Command: "docker stack deploy --detach=false, on the daemon's socket"}
	}
	b.Run("nothing changed", func(b *testing.B) {
		ours, theirs := sample()
		for b.Loop() {
			r, took := bed.timed(b, 0, "deploy:env", "dev")
			r.Says(b, "unchanged")
			ours.Took(took)
			theirs.Took(docker.deploy(b, ten("good")))
		}
		figures.Record(b, figures.Figure{Work: "deploy of 10 services, nothing changed", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 0.02})
		figures.Record(b, figures.Figure{Work: "deploy of 10 services, nothing changed, alone", Unit: "ms", Ours: ours, AtMost: 1000})
	})

	mode := "good"
	b.Run("all updated", func(b *testing.B) {
		ours, theirs := sample()
		over := figures.Sample{Name: "over-swarm", Command: "slipway deploy dev, less the time from the first update's start to the last one's end by Swarm's own clock"}
		for b.Loop() {
			mode = map[string]string{"good": "good2", "good2": "good"}[mode]
			bed.manifest(b, "dev", ten(mode))
			_, took := bed.timed(b, 0, "deploy:env", "dev")
			ours.Took(took)
			over.Took(took - converged(bed.ofStack(b, "repo_dev")))
			theirs.Took(docker.deploy(b, ten(mode)))
		}
		figures.Record(b, figures.Figure{Work: "update of 10 services", Unit: "ms", Ours: ours, Beside: theirs, AtMost: 0.9})
		figures.Record(b, figures.Figure{Work: "update of 10 services, beyond Swarm's own convergence", Unit: "ms", Ours: over, AtMost: 500})
	})

	b.Run("one fails", func(b *testing.B) {
		bad := strings.Replace(ten(mode), "app:"+mode, "app:sick", 1)
		ours, theirs := sample()
		reason := figures.Sample{Name: "reason", Command: "slipway deploy dev, from the end of Swarm's rollback to the reason on stderr"}
		for b.Loop() {
			bed.manifest(b, "dev", bad)
			began := time.Now()
			p := bed.start(b, nil, "deploy:env", "dev")
			eventually(b, "the reason is told", func() bool { return p.Ended() || strings.Contains(p.Stderr.String(), "its health check fails") })
			told := time.Now()
			p.wait(b).Exits(b, 3).Says(b, "its health check fails")
			ours.Took(time.Since(began))
			reason.Took(told.Sub(*bed.state(b).Service("repo_dev_s0").UpdateStatus.CompletedAt))
			theirs.Took(docker.deploy(b, bad))
		}
		figures.Record(b, figures.Figure{
			Work: "update of 10 services, one of which fails", Unit: "ms", Ours: ours, Beside: theirs,
			Note: "Slipway takes all ten back and exits with 3; docker exits with 0, and leaves nine updated.",
		})
		figures.Record(b, figures.Figure{Work: "rollback verdict after Swarm's own", Unit: "ms", Ours: reason, AtMost: 1000})
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

// BenchmarkPlanOfAHundred plans a stack of a hundred services, all of which are live and one of
// which is to change. They have no tasks: a plan reads none.
func BenchmarkPlanOfAHundred(b *testing.B) {
	bed := newBed(b)
	many := func(first string) string {
		var all []string
		for i := range 100 {
			mode := "good"
			if i == 0 {
				mode = first
			}
			all = append(all, service(fmt.Sprintf("s%d", i), mode, "deploy: {replicas: 0, endpoint_mode: dnsrr}"))
		}
		return stack(all...)
	}
	bed.manifest(b, "dev", many("good"))
	bed.slipway(b, "deploy:env", "dev").Exits(b, 0)
	bed.manifest(b, "dev", many("good2"))
	plan := figures.Sample{Name: "slipway", Command: "slipway deploy:plan dev"}
	for b.Loop() {
		r, took := bed.timed(b, 0, "deploy:plan", "dev")
		r.Says(b, "app:good2")
		plan.Took(took)
	}
	figures.Record(b, figures.Figure{Work: "100 services in one stack: plan", Unit: "ms", Ours: plan, AtMost: 2000})
}
