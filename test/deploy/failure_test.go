package deploy

import (
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

func versionsOf(tasks map[string]string) (out []string) {
	for _, image := range tasks {
		name, _, _ := strings.Cut(image, "@")
		out = append(out, name[strings.LastIndex(name, ":")+1:])
	}
	return out
}

// runs wants one task of a service, of this version of the app.
func (b *bed) runs(t *testing.T, service, version string) {
	t.Helper()
	if got := versionsOf(b.running(t, service)); len(got) != 1 || got[0] != version {
		t.Errorf("%s runs %v, want one of %s", service, got, version)
	}
}

func TestAFailedHealthCheckTakesTheStackBack(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "sick"), service("other", "good2"), service("new", "good")))
	r := b.slipway(t, "deploy:env", "dev").Exits(t, 3)
	r.Says(t, "web: rolled back", "checked sick", "app in mode sick", "its health check fails", "runs now   1 × ", "release 2: rolled back")
	b.runs(t, "repo_dev_web", "good")
	b.runs(t, "repo_dev_other", "good")
	if s := b.state(t).Service("repo_dev_new"); s != nil {
		t.Error("a service that the failed deploy had made is still there")
	}
	b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "2  rolled back", "1  done")
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "all is as released", "release 2: rolled back")
	before := b.versions(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Error("going on after a rollback writes, though all is as the manifest wants")
	}
}

// Swarm calls a rollback completed before the old task of a stop-first service runs again.
func TestNothingIsCalledRolledBackThatDoesNotRunAgain(t *testing.T) {
	b := newBed(t)
	web := func(mode string) string {
		return stack(service("web", mode, "deploy: {endpoint_mode: dnsrr, restart_policy: {condition: any, delay: 3s}, update_config: {order: stop-first, failure_action: rollback, monitor: 5s}, rollback_config: {order: stop-first, monitor: 500ms}}"))
	}
	b.manifest(t, "dev", web("good"))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", web("crash"))
	b.slipway(t, "deploy:env", "dev").Exits(t, 3).Says(t, "1/1", "runs now   1 × "+b.images.Host+"/app:good")
	b.runs(t, "repo_dev_web", "good")
}

func TestNoAtomicKeepsTheSiblings(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "sick"), service("other", "good2")))
	b.slipway(t, "deploy:env", "dev", "-noAtomic=true").Exits(t, 3)
	b.runs(t, "repo_dev_web", "good")
	eventually(t, "the sibling runs its new version", func() bool {
		got := versionsOf(b.running(t, "repo_dev_other"))
		return len(got) == 1 && got[0] == "good2"
	})
}

func TestAFirstDeployThatFailsIsLeftAsItIs(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "crash"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 7).Says(t, "web: failed", "boom: no database", "exit code  3", "the stack's first deploy")
	b.runs(t, "repo_dev_other", "good")
}

func TestAPausedUpdateIsAFailure(t *testing.T) {
	b := newBed(t)
	paused := "deploy: {endpoint_mode: dnsrr, restart_policy: {condition: on-failure, delay: 200ms}, update_config: {order: start-first, failure_action: pause, monitor: 1s}}"
	b.manifest(t, "dev", stack(service("web", "good", paused)))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "crash", paused)))
	b.slipway(t, "deploy:env", "dev").Exits(t, 7).Says(t, "web: paused", "boom: no database", "Swarm paused its update")
	b.slipway(t, "deploy:rollback", "dev").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
}

func TestATaskThatNeverStartsTimesOut(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	slow := strings.Replace(service("web", "good2"), "retries: 2", "retries: 2\n      start_interval: 60s", 1)
	slow = strings.NewReplacer("interval: 300ms", "interval: 60s", "start_period: 200ms", "start_period: 5m").Replace(slow)
	b.manifest(t, "dev", stack(slow))
	b.slipway(t, "deploy:env", "dev", "-timeout=4s").Exits(t, 4).Says(t, "web: timed out", "starting")
	b.runs(t, "repo_dev_web", "good")
}

// job is a migration as a service whose task ends.
func job(name, mode string) string {
	return "  " + name + ":\n    image: ${REGISTRY}/app:" + mode + "\n    deploy:\n      mode: replicated-job\n      restart_policy: {condition: none}\n      endpoint_mode: dnsrr\n"
}

func TestAJobIsAGate(t *testing.T) {
	b := newBed(t)
	after := "depends_on: [migrate]"
	b.manifest(t, "dev", stack(job("migrate", "job"), service("web", "good", after), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 1: done")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	web := b.running(t, "repo_dev_web")
	b.manifest(t, "dev", stack(job("migrate", "badjob"), service("web", "good2", after), service("other", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 7).Says(t, "migrate: failed", "cannot migrate", "what it has done stays done")
	if now := b.running(t, "repo_dev_web"); !maps.Equal(web, now) {
		t.Error("a service behind a gate that did not open was touched")
	}
	b.runs(t, "repo_dev_other", "good")
}

func TestKilledInMidWaitAndRunAgain(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good2"), service("other", "good")))
	p := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "the update is under way", func() bool {
		s := b.state(t).Service("repo_dev_web")
		return s.UpdateStatus != nil && s.UpdateStatus.State == swarm.UpdateStateUpdating
	})
	must(t, p.Cmd.Process.Signal(syscall.SIGKILL))
	<-p.Done
	b.slipway(t, "deploy:env", "dev", "-wait=1m").Exits(t, 0).Says(t, "done")
	b.runs(t, "repo_dev_web", "good2")
	b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "interrupted")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
}

func TestTheConnectionIsCutInMidWait(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", strings.Replace(stack(service("web", "sick")), "interval: 300ms", "interval: 10s", 1)) // it fails after the loss
	p := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "the update is under way", func() bool { return b.state(t).Service("repo_dev_web").UpdateStatus != nil })
	b.server.Stop()
	eventually(t, "the loss is seen", func() bool { return strings.Contains(p.Stderr.String(), "connection to the Swarm lost") })
	b.server.Up()
	p.wait(t).Exits(t, 3).Says(t, "web: rolled back")
}

func TestTheManagerIsRestartedInMidDeploy(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good2")))
	p := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "the update is under way", func() bool { return b.state(t).Service("repo_dev_web").UpdateStatus != nil })
	b.docker.Down()
	b.docker.Up()
	r := p.wait(t)
	if state := b.state(t).Service("repo_dev_web"); r.Code == 0 {
		b.runs(t, "repo_dev_web", "good2")
	} else if r.Code != 3 || state.UpdateStatus == nil {
		t.Errorf("exit code %d:\n%s", r.Code, r.Stderr)
	}
}

func TestAnotherClientChangesTheServiceMeanwhile(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good2"), service("other", "good")))
	p := b.start(t, nil, "deploy:env", "dev")
	var now *swarm.Service
	eventually(t, "the update is under way", func() bool {
		now = b.state(t).Service("repo_dev_web")
		return now.UpdateStatus != nil
	})
	eventually(t, "the other's change is taken", func() bool {
		now = b.state(t).Service("repo_dev_web")
		now.Spec.Labels["by"] = "another"
		_, err := b.docker.Client.ServiceUpdate(t.Context(), now.ID, client.ServiceUpdateOptions{Version: now.Version, Spec: now.Spec})
		return err == nil
	})
	p.wait(t).Exits(t, 7).Says(t, "changed by another")
}

func TestTwoDeploysOfOneEnvironment(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stack(service("web", "good2")))
	first := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "the first one has the lock", func() bool {
		return strings.Contains(first.Stderr.String(), "updating web")
	})
	began := time.Now()
	second := b.with(t, nil, "deploy:env", "dev", "-image=app=good")
	if second.Code == 5 {
		second.Says(t, "is locked by anna@")
	} else if first.wait(t); second.Code != 0 {
		t.Errorf("the second deploy ended with %d after %s:\n%s", second.Code, time.Since(began), second.Stderr)
	}
	first.wait(t).Exits(t, 0)
	b.slipway(t, "deploy:env", "dev", "-image=app=good", "-wait=1m").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
	b.slipway(t, "deploy:unlock", "dev").Exits(t, 0).Says(t, "was not locked")
}
