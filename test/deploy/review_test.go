package deploy

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// reviewed is a manifest that fixes all the names it can, and uses what a second stack must not
// share.
func reviewed(mode, data string) string {
	return stack(service("web", mode,
		"environment: {WHERE: '${ENV}'}",
		"configs: [app, plain]", "secrets: [own, shared]", "networks: [inner]",
		"ports: [{target: 80, published: 8080, mode: host}]",
		"volumes: [data:/data, '"+data+":/dir', '"+data+":/read:ro']",
		"deploy: {endpoint_mode: dnsrr, restart_policy: {condition: on-failure, delay: 200ms}, update_config: {order: stop-first, failure_action: rollback, monitor: 1s}, rollback_config: {parallelism: 0, monitor: 500ms}}",
	)) + `
configs:
  app: {name: "${REPO_DEV_APP}", file: ./dev/app.toml}
  plain: {file: ./dev/app.toml}
secrets:
  own: {name: fixed, file: ./dev/own.txt}
  shared: {external: true, name: shared-secret}
networks: {inner: {name: fixed-network}}
volumes: {data: {name: fixed-data}}
`
}

// allOf are all things of a stack: what has its name, and what has its label.
func (b *bed) allOf(t testing.TB, stack string) (out []string) {
	t.Helper()
	for name := range b.versions(t) {
		if strings.Contains(name, stack) {
			out = append(out, name)
		}
	}
	filter := make(client.Filters).Add("label", "com.docker.stack.namespace="+stack)
	volumes, err := b.docker.Client.VolumeList(t.Context(), client.VolumeListOptions{Filters: filter})
	must(t, err)
	for _, v := range volumes.Items {
		out = append(out, "volume "+v.Name)
	}
	containers, err := b.docker.Client.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filter})
	must(t, err)
	for _, c := range containers.Items {
		out = append(out, "container "+c.ID)
	}
	slices.Sort(out)
	return out
}

// expires is when deploy:status says that a review app goes, zero for what is none.
func (b *bed) expires(t testing.TB, env string) time.Time {
	t.Helper()
	var s struct {
		Review struct {
			From    string
			Expires time.Time
		}
	}
	must(t, json.Unmarshal([]byte(b.slipway(t, "deploy:status", env, "-json=true").Exits(t, 0).Stdout), &s))
	return s.Review.Expires
}

// dev's own things, by their versions: a review app must not move one of them.
func (b *bed) except(t testing.TB, stacks ...string) map[string]uint64 {
	t.Helper()
	all := b.versions(t)
	maps.DeleteFunc(all, func(name string, _ uint64) bool {
		return slices.ContainsFunc(stacks, func(s string) bool { return strings.Contains(name, s) })
	})
	return all
}

func TestAReviewAppRunsBesideItsOriginAndLeavesNothing(t *testing.T) {
	b := newBed(t)
	dir := t.TempDir()
	b.repo.Write("manifests/dev/app.toml", "a = 1\n")
	b.repo.Write("manifests/dev/own.txt", "own-s3cret-value\n")
	b.manifest(t, "dev", reviewed("good", dir))
	b.repo.Write(".gitignore", "build/\n")
	must(t, os.WriteFile(b.repo.Dir+"/shared.txt", []byte("shared-s3cret"), 0o600))
	b.slipway(t, "secret:set", "dev", "shared-secret", "-file=shared.txt").Exits(t, 0)
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	before := b.versions(t)

	// Two of them, beside dev and each other.
	b.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=1h").Exits(t, 0).Says(t,
		"repo_mr-1 release 1: done",
		"service web does not publish port 8080 here: Swarm allots another",
		"service web has an empty volume at /dir, and not the directory "+dir,
		"web 80/tcp: port ")
	b.slipway(t, "deploy:env", "mr-2", "-from=dev").Exits(t, 0)
	if now := b.except(t, "mr-1", "mr-2"); !maps.Equal(before, now) {
		t.Fatalf("dev was touched:\nbefore %v\nnow    %v", before, now)
	}
	first := b.expires(t, "mr-1")
	if in := b.expires(t, "mr-2").Sub(first); in < 22*time.Hour || in > 24*time.Hour {
		t.Errorf("the one stays %s longer than the other, want about 23h", in)
	}
	spec := b.state(t).Service("repo_mr-1_web").Spec.TaskTemplate.ContainerSpec
	var mounts []string
	for _, m := range spec.Mounts {
		mounts = append(mounts, m.Source+" "+m.Target)
	}
	if len(mounts) != 3 || mounts[0] != "repo_mr-1_data /data" || !strings.HasPrefix(mounts[1], "repo_mr-1_dir-") || !strings.HasSuffix(mounts[1], " /dir") || mounts[2] != dir+" /read" {
		t.Errorf("it mounts %q", mounts)
	}
	if !slices.Contains(spec.Env, "WHERE=mr-1") {
		t.Errorf("its environment is %q", spec.Env)
	}

	// A deploy with nothing to do puts the end off; a rollback leaves it a review app.
	b.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=48h").Exits(t, 0).Says(t, "repo_mr-1 release 1: unchanged")
	if again := b.expires(t, "mr-1"); again.Sub(first) < 46*time.Hour {
		t.Errorf("it was renewed from %s to %s", first, again)
	}
	b.repo.Write("manifests/dev/app.toml", "a = 2\n")
	b.commit("another config")
	b.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=48h").Exits(t, 0).Says(t, "repo_mr-1 release 2: done")
	b.slipway(t, "deploy:rollback", "mr-1").Exits(t, 0).Says(t, "repo_mr-1 release 3: done")
	if b.expires(t, "mr-1").IsZero() {
		t.Error("after a rollback it is no review app any more")
	}
	b.slipway(t, "deploy:history", "mr-1").Exits(t, 0).Says(t, "back to release 1")
	b.slipway(t, "deploy:logs", "mr-1", "web").Exits(t, 0).Says(t, "app in mode good")
	b.slipway(t, "deploy:status", "mr-1").Exits(t, 0).Says(t, "a review app, made from dev: it goes after 20", "web 80/tcp: port ")

	// Its time is up at once: only it goes.
	if r := b.slipway(t, "deploy:expire", "dev").Exits(t, 0); strings.Contains(r.Stdout, "removed") {
		t.Errorf("removed before its time:\n%s", r.Stdout)
	}
	b.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=1ms").Exits(t, 0)
	other := b.except(t, "mr-1")
	held := b.allOf(t, "repo_mr-1")
	dry := b.slipway(t, "deploy:expire", "dev", "-dryRun=true").Exits(t, 0)
	dry.Says(t, "repo_mr-1: would be removed, its time was up ", "  service repo_mr-1_web", "repo_mr-2: stays for 23h")
	b.slipway(t, "deploy:expire", "dev", "-env=pr-*").Exits(t, 0)
	if now := b.allOf(t, "repo_mr-1"); !slices.Equal(held, now) {
		t.Errorf("a dry run, or one for others, has removed something:\nbefore %q\nnow    %q", held, now)
	}
	gone := b.slipway(t, "deploy:expire", "dev", "-env=mr-*").Exits(t, 0)
	gone.Says(t, "removed service repo_mr-1_web", "removed volume repo_mr-1_data on ", "repo_mr-1: removed, its time was up ", "repo_mr-2: stays for 23h")
	if left := b.allOf(t, "mr-1"); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	if now := b.except(t); !maps.Equal(other, now) {
		t.Errorf("others were touched:\nbefore %v\nnow    %v", other, now)
	}
	b.slipway(t, "deploy:expire", "dev").Exits(t, 0).Says(t, "repo_mr-2: stays for 23h")

	// By hand, it takes its data along too.
	b.slipway(t, "deploy:remove", "mr-2", "-yes=true").Exits(t, 0).Says(t, "repo_mr-2: removed, with its volumes")
	if left := b.allOf(t, "mr-2"); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	if now := b.versions(t); !maps.Equal(before, now) {
		t.Errorf("dev was touched:\nbefore %v\nnow    %v", before, now)
	}
	b.runs(t, "repo_dev_web", "good")
}

func TestWhatIsNoReviewAppNeverBecomesOne(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.manifest(t, "prod", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "prod", "-from=dev").Exits(t, 2).Says(t, "prod has a manifest of its own, manifests/docker-compose.prod.yaml: -from is for review apps")
	b.slipway(t, "deploy:env", "mr-1", "-from=staging").Exits(t, 2).Says(t, `there is no environment "staging"`)
	b.slipway(t, "deploy:env", "mr-1").Exits(t, 2).Says(t, `there is no environment "mr-1"`)
	b.slipway(t, "deploy:env", "dev", "-ttl=1h").Exits(t, 2).Says(t, "-ttl is for review apps")
	b.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=0s").Exits(t, 2).Says(t, "would be gone at once")
	b.slipway(t, "deploy:expire", "dev", "-env=[").Exits(t, 2).Says(t, "-env=[ is no pattern")
	b.repo.Git("checkout", "-q", "-b", "feature")
	b.slipway(t, "deploy:env", "mr-1", "-from=prod").Exits(t, 2).Says(t, "prod is deployed from main only, and this is the branch feature")
	b.repo.Git("checkout", "-q", "main")
	if left := b.allOf(t, "repo_"); len(left) > 0 {
		t.Fatalf("bad input has written: %q", left)
	}

	// A permanent stack under a name whose manifest was taken away since.
	b.manifest(t, "mr-7", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "mr-7").Exits(t, 0)
	b.repo.Remove("manifests/docker-compose.mr-7.yaml")
	b.commit("no manifest any more")
	before := b.versions(t)
	b.slipway(t, "deploy:env", "mr-7", "-from=dev", "-ttl=1ms").Exits(t, 2).Says(t, "repo_mr-7 is there and is no review app (release 1, by anna@")
	b.slipway(t, "deploy:expire", "dev").Exits(t, 0).Says(t, "has no review apps there")
	if now := b.versions(t); !maps.Equal(before, now) {
		t.Errorf("it was touched:\nbefore %v\nnow    %v", before, now)
	}

	// Nor is one removed by another project on the same Swarm, nor does it become permanent.
	b.slipway(t, "deploy:env", "mr-8", "-from=dev", "-ttl=1ms").Exits(t, 0)
	b.repo.Write("slipway.yaml", "project: rep\n")
	b.slipway(t, "deploy:expire", "dev").Exits(t, 0).Says(t, "rep has no review apps there")
	b.repo.Write("slipway.yaml", "project: repo\n")
	b.manifest(t, "mr-8", stack(service("web", "good2")))
	b.slipway(t, "deploy:env", "mr-8").Exits(t, 2).Says(t, "repo_mr-8 is a review app, made from dev: deploy it with -from=dev, or remove it first")
}

// A node that cannot be reached is told, and the next attempt goes on.
func TestAReviewAppsVolumesGoFromAllNodes(t *testing.T) {
	m := newMachines(t)
	near := m.join(t, "near", swarm.NodeRoleWorker)
	pinned := m.pinned(near, m.door(t, near))
	m.manifest(t, "dev", stack(service("web", "good", "volumes: [data:/data]",
		"deploy: {endpoint_mode: dnsrr, update_config: {monitor: 1s}, placement: {constraints: [node.hostname == near]}}"))+"volumes: {data: {}}\n")
	m.slipway(t, "deploy:env", "mr-1", "-from=dev", "-ttl=1ms").Exits(t, 0)
	has := func() bool {
		got, err := near.Client.VolumeList(t.Context(), client.VolumeListOptions{Filters: make(client.Filters).Add("name", "repo_mr-1_data")})
		must(t, err)
		return len(got.Items) > 0
	}
	if !has() {
		t.Fatal("the volume is not where it was expected")
	}
	m.slipway(t, "deploy:expire", "dev").Exits(t, 1).Says(t,
		"removed service repo_mr-1_web", "volumes of repo_mr-1 may be left on near, where no SSH host key is pinned (SSH_KNOWN_HOSTS)", "docker volume rm")
	m.slipway(t, "deploy:history", "mr-1").Exits(t, 0).Says(t, "done")
	m.with(t, pinned, "deploy:expire", "dev").Exits(t, 0).Says(t, "removed volume repo_mr-1_data on near", "repo_mr-1: removed")
	if left := m.allOf(t, "repo_mr-1"); has() || len(left) > 0 {
		t.Errorf("left over: %q, and on the node the volume: %v", left, has())
	}
}

// A deploy that was killed leaves a lock, a half-made stack and a record: all of it goes.
func TestAReviewAppWhoseDeployWasKilledLeavesNothing(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "sick", "volumes: [data:/data]"))+"volumes: {data: {}}\n")
	killed := b.start(t, nil, "deploy:env", "mr-1", "-from=dev", "-ttl=1ms")
	eventually(t, "the task has made its volume", func() bool {
		return killed.Ended() || holds(b.allOf(t, "repo_mr-1"), "volume ") && holds(b.allOf(t, "repo_mr-1"), "service ")
	})
	must(t, killed.Cmd.Process.Kill())
	killed.wait(t)
	b.slipway(t, "deploy:expire", "dev").Exits(t, 0).Says(t, "repo_mr-1: removed")
	if left := b.allOf(t, "mr-1"); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}
