package deploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
)

// all is a manifest with one of everything that a deploy writes: version v of it differs from
// another in a config, a secret, a network, an image, and in a service that the other has not.
func all(v, image string) string {
	quick := "deploy: {endpoint_mode: dnsrr, update_config: {monitor: 200ms, order: start-first, failure_action: rollback}}"
	return stack(
		service("web", image, quick, "configs: [settings]", "secrets: [password]"),
		service("only"+v, "good", quick, "networks: [net"+v+"]"),
	) + fmt.Sprintf("configs: {settings: {content: settings %[1]s}}\nsecrets: {password: {file: ./%[1]s.txt}}\nnetworks: {net%[1]s: {}}\n", v)
}

// A deploy that is killed right after any one of its writes, the answer of which it never
// saw, leaves a Swarm that the next deploy brings to where an undisturbed one ends.
func TestKilledAfterEachWriteAndRunAgain(t *testing.T) {
	b := newBed(t)
	g := newGate(t, b)
	b.repo.Write("manifests/a.txt", "the first password")
	b.repo.Write("manifests/b.txt", "the second password")
	b.repo.Write("manifests/c.txt", "the third password")
	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {retention: 1}}\n")
	to := func(v, image string) {
		t.Helper()
		b.manifest(t, "dev", all(v, image))
		b.with(t, g.through(), "deploy:env", "dev").Exits(t, 0)
	}
	// Round and round: what one version leaves, the next but one collects.
	next, images := map[string]string{"a": "b", "b": "c", "c": "a"}, map[string]string{"a": "good", "b": "good2", "c": "good"}
	undisturbed := map[string][]string{}
	for _, v := range []string{"a", "b", "c", "a", "b"} {
		to(v, images[v])
		undisturbed[v] = b.leftovers(t)
	}
	for n, v := 1, "c"; ; n, v = n+1, next[v] {
		b.manifest(t, "dev", all(v, images[v]))
		writes, killed := b.killedAfter(t, g, n)
		if !killed {
			if n < 14 {
				t.Errorf("the deploy wrote only %d times: %q", len(writes), writes)
			}
			return
		}
		at := writes[n-1]
		b.slipway(t, "deploy:unlock", "dev").Exits(t, 0) // that the lease runs out has a test of its own
		if r := b.with(t, g.through(), "deploy:env", "dev"); r.Code != 0 {
			t.Errorf("killed after write %d (%s), the next deploy ended with %d:\n%s%s", n, at, r.Code, r.Stdout, r.Stderr)
		}
		if got, want := b.leftovers(t), undisturbed[v]; !slices.Equal(got, want) {
			t.Errorf("killed after write %d (%s), the next deploy left\n  %s\nwant\n  %s", n, at, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0)
	}
}

// killedAfter deploys, kills the deploy right after its write n, and tells what was written;
// false where the deploy ended before.
func (b *bed) killedAfter(t *testing.T, g *gate, n int) (writes []string, killed bool) {
	t.Helper()
	var victim atomic.Pointer[process]
	var hit atomic.Bool
	started := make(chan struct{})
	g.watch(func(k int) {
		if <-started; k == n {
			hit.Store(true)
			p := victim.Load()
			_ = syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL)
			<-p.Done
		}
	})
	p := b.start(t, g.through(), "deploy:env", "dev")
	victim.Store(p)
	close(started)
	<-p.Done
	writes = g.watch(nil)
	if !hit.Load() {
		p.wait(t).Exits(t, 0)
	}
	return writes, hit.Load()
}

// leftovers names all that is of the stack in the Swarm: kind, name and image. A record's
// number tells how often was deployed, and is left out.
func (b *bed) leftovers(t *testing.T) []string {
	t.Helper()
	state := b.state(t)
	out := map[string]bool{}
	for _, s := range state.Services {
		image, _, _ := strings.Cut(s.Spec.TaskTemplate.ContainerSpec.Image, "@")
		out["service "+s.Spec.Name+" "+image] = true
	}
	records := 0
	for _, c := range state.Configs {
		if strings.Contains(c.Spec.Name, ".release.") || c.Spec.Labels["slipway.release"] != "" {
			records++
			continue
		}
		out["config "+c.Spec.Name] = true
	}
	for _, s := range state.Secrets {
		out["secret "+s.Spec.Name] = true
	}
	for _, n := range state.Networks {
		if n.Labels[convert.LabelNamespace] != "" {
			out["network "+n.Name] = true
		}
	}
	out[fmt.Sprintf("%d records", records)] = true
	tasks, err := b.docker.Client.TaskList(t.Context(), client.TaskListOptions{Filters: make(client.Filters).Add("desired-state", "running")})
	must(t, err)
	for _, task := range tasks.Items {
		if task.Status.State == swarm.TaskStateRunning && state.Service("repo_dev_web") != nil && task.ServiceID == state.Service("repo_dev_web").ID {
			out["a task of web"] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
