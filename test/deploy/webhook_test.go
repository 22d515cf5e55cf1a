package deploy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"slipway/deploy/lock"
	"slipway/test/fakeportainer"
	"slipway/test/faulty"
)

// webhook switches a service's webhook on and gives the variable that names it.
func (b *bed) webhook(t testing.TB, p *fakeportainer.Server, service string, registry int) string {
	t.Helper()
	s := b.state(t).Service("repo_dev_" + service)
	if s == nil {
		t.Fatalf("there is no service %s", service)
	}
	return strings.ToUpper(service) + "_WEBHOOK_URL=" + p.Enable(t, "socket", s.ID, registry)
}

// called counts the calls of webhooks.
func called(p *fakeportainer.Server) (n int) {
	for _, r := range p.Requests() {
		if strings.HasPrefix(r, "POST /api/webhooks/") {
			n++
		}
	}
	return n
}

// "Webhook только перезапускает сервис, он не пересоздаёт его. Если образ не обновился, значит
// перезапуск будет бесполезным": what runs already is not restarted, and this is said.
func TestWebhookComplaint1ARestartWithoutANewImageIsUseless(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	hook := []string{b.webhook(t, p, "web", 0)}
	before := b.running(t, "repo_dev_web")
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=good").Exits(t, 0).Says(t, "release 1: unchanged")
	if now := b.running(t, "repo_dev_web"); !maps.Equal(before, now) || called(p) != 0 {
		t.Errorf("a webhook that could change nothing was called %d times; the tasks were %v and are %v", called(p), before, now)
	}
	// A tag that has moved is a new image.
	b.push(t, "app:good", "good2")
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=good").Exits(t, 0).Says(t, "release 2: done")
	if now := b.running(t, "repo_dev_web"); maps.Equal(before, now) || called(p) != 1 {
		t.Errorf("the tasks are %v after the tag has moved, and the webhook was called %d times", now, called(p))
	}
}

// "Портейнер возвращает 204, говоря о том, что запустил процесс обновления сервиса. Обновился он
// или нет — никто не знает": the exit code says it, with the reason.
func TestWebhookComplaint2AnAnswerOf204ProvesNothing(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	hook := []string{b.webhook(t, p, "web", 0)}
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 0).Says(t, "release 2: done", "app:good2")
	b.runs(t, "repo_dev_web", "good2")
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "release 2", "all is as released")

	r := b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=crash", "-json=true").Exits(t, 3).Says(t, "boom: no database")
	if called(p) != 2 {
		t.Errorf("the webhook was called %d times, want 2", called(p))
	}
	var v struct {
		Result   string
		Services []struct {
			Service, State string
			Reason         struct{ ExitCode int }
		}
	}
	must(t, json.Unmarshal([]byte(r.Stdout), &v))
	if v.Result != "rolled back" || len(v.Services) != 1 || v.Services[0].Reason.ExitCode != 3 {
		t.Errorf("the verdict is %+v", v)
	}
	b.runs(t, "repo_dev_web", "good2")
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=sick").Exits(t, 3).Says(t, "its health check fails")
	b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "4  rolled back", "3  rolled back", "2  done", "1  done")
	b.slipway(t, "deploy:rollback", "dev").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
}

// "В Stack'e обязательно приходится указывать общий тег, без конкретной версии": the manifest
// names none, and the Swarm gets each service's own, with the digest.
func TestWebhookComplaint3TheStackHasToNameACommonTag(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.repo.Write("services/app/Dockerfile", "FROM scratch\nCOPY a /a\n")
	b.repo.Write("services/app/a", "1\n")
	b.manifest(t, "dev", stack(strings.Replace(service("web", "good"), "app:good", "app:${TAG}", 1)))
	tag := func() string {
		b.repo.Git("status") // the commit's date is the test's own clock
		return b.repo.Git("log", "-1", "--date=format-local:%Y%m%d", "--abbrev=8", "--format=%cd_%h")
	}
	one := strings.TrimSpace(tag())
	b.push(t, "app:"+one, "good")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "app:"+one)
	image := func() string { return b.state(t).Service("repo_dev_web").Spec.TaskTemplate.ContainerSpec.Image }
	if got := image(); !strings.Contains(got, "/app:"+one+"@sha256:") {
		t.Errorf("the Swarm has %s, want the tag %s and its digest", got, one)
	}

	// By a webhook too: with the version that is asked for, or the repository's own.
	hook := []string{b.webhook(t, p, "web", 0)}
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 0)
	if got := image(); !strings.Contains(got, "/app:good2@sha256:") {
		t.Errorf("the Swarm has %s, want the tag good2 and its digest", got)
	}
	b.with(t, hook, "deploy:webhook", "dev", "web").Exits(t, 0)
	if got := image(); !strings.Contains(got, "/app:"+one+"@sha256:") {
		t.Errorf("the Swarm has %s, want the repository's own tag %s and its digest", got, one)
	}
}

// "Откаты и rolling update надо настраивать самостоятельно в файле стека": a stack's file that says
// nothing of either gets an update that is watched, and the way back in one command.
func TestWebhookComplaint4RollbacksAreToBeSetUpByHand(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	plain := "deploy: {endpoint_mode: dnsrr, restart_policy: {condition: on-failure, delay: 200ms}}"
	b.manifest(t, "dev", stack(service("web", "good", plain)))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	hook := []string{b.webhook(t, p, "web", 0)}
	b.with(t, hook, "deploy:webhook", "dev", "web", "-tag=crash").Exits(t, 7).Says(t, "boom: no database", "Swarm paused its update", "deploy:rollback")
	b.slipway(t, "deploy:rollback", "dev").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "all is as released")
}

// "Один webhook = одна команда обновления. Нельзя передавать параметры или обновлять сразу все":
// through the same Portainer a whole stack is updated at once, with whatever has changed, and
// without a webhook.
func TestWebhookComplaint5OneWebhookUpdatesOneService(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	stackOf := func(mode, level string) string {
		return stack(service("web", mode, "environment: {LEVEL: '"+level+"'}"), service("other", mode), service("third", mode, "labels: {level: '"+level+"'}"))
	}
	b.manifest(t, "dev", stackOf("good", "1"))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.manifest(t, "dev", stackOf("good2", "2"))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 2: done")
	for _, s := range []string{"repo_dev_web", "repo_dev_other", "repo_dev_third"} {
		b.runs(t, s, "good2")
	}
	if env := b.state(t).Service("repo_dev_web").Spec.TaskTemplate.ContainerSpec.Env; !slices.Contains(env, "LEVEL=2") {
		t.Errorf("the environment of web is %v", env)
	}
	if called(p) != 0 {
		t.Errorf("webhooks were called %d times", called(p))
	}
}

// A webhook is called, and the service looked after over SSH: Portainer gives no token then.
func TestAWebhookIsProvenOverSSH(t *testing.T) {
	b := newBed(t)
	ssh := slices.Clone(b.env)
	p := b.throughPortainer(t)
	b.server.Up()
	b.env = append(ssh, "PORTAINER_CA="+p.CA)
	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {webhooks: {web: 'env://HOOK'}}}\n")
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	_, address, _ := strings.Cut(b.webhook(t, p, "web", 0), "=")
	b.with(t, []string{"HOOK=" + address}, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 0)
	b.with(t, []string{"HOOK=" + address}, "deploy:webhook", "dev", "web", "-tag=crash").Exits(t, 3)
	b.runs(t, "repo_dev_web", "good2")
	for _, r := range p.Requests() {
		if !strings.HasPrefix(r, "POST /api/webhooks/") {
			t.Errorf("Portainer was asked for %s", r)
		}
	}
}

// A stack that was made in Portainer, and that no release is recorded of.
func TestAWebhookOfAStackThatSlipwayNeverDeployed(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.withoutReleases(t)
	b.webhook(t, p, "web", 0) // found by asking Portainer
	held, err := lock.Acquire(t.Context(), b.docker.Client, "repo_dev", lock.Owner{Who: "otto", Reason: "deploy"}, lock.Options{Lease: 2 * time.Second})
	must(t, err)
	b.slipway(t, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 5).Says(t, "is locked by otto (deploy)")
	if called(p) != 0 {
		t.Error("a webhook was called past the lock of a deploy")
	}
	must(t, held.Release(t.Context()))
	b.slipway(t, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 0).Says(t, "repo_dev: done")
	b.slipway(t, "deploy:webhook", "dev", "web", "-tag=crash").Exits(t, 3).Says(t, "boom: no database")
	b.runs(t, "repo_dev_web", "good2")
	b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "has no releases yet")
}

// withoutReleases makes the stack one of somebody else's.
func (b *bed) withoutReleases(t testing.TB) {
	t.Helper()
	for _, c := range b.state(t).Configs {
		if strings.HasPrefix(c.Spec.Name, "slipway-release") {
			_, err := b.docker.Client.ConfigRemove(t.Context(), c.ID, client.ConfigRemoveOptions{})
			must(t, err)
		}
	}
}

// What keeps a webhook from doing its work is told, nothing of the service is changed, and the
// address is not shown.
func TestWebhooksThatDoNotWork(t *testing.T) {
	const password = "c4nary-registry-1"
	b := newBedFor(t, map[string]string{"anna": password})
	b.env = append(b.env, "REGISTRY_USER=anna", "REGISTRY_PASSWORD="+password)
	p := b.throughPortainer(t)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	knows := p.AddRegistry(b.images.Host, "anna", password)
	hook, poor, others := b.webhook(t, p, "web", knows), b.webhook(t, p, "web", 0), b.webhook(t, p, "other", knows)
	_, othersAddress, _ := strings.Cut(others, "=")
	before := b.running(t, "repo_dev_web")
	for name, c := range map[string]struct {
		env   string
		args  []string
		fault *faulty.Fault
		code  int
		says  string
	}{
		"no webhook":            {args: []string{"third"}, code: 2, says: "has no service third"},
		"a bad tag":             {env: hook, args: []string{"web", "-tag=a b"}, code: 2, says: "-tag=a b is no tag of an image"},
		"no tag":                {env: hook, args: []string{"web"}, code: 2, says: "-tag=TAG is missing"},
		"not pushed":            {env: hook, args: []string{"web", "-tag=nowhere"}, code: 1, says: "push it first"},
		"no address":            {env: "WEB_WEBHOOK_URL=c4nary-1234", args: []string{"web", "-tag=good2"}, code: 2, says: "WEB_WEBHOOK_URL: it is no address"},
		"a stack's":             {env: "WEB_WEBHOOK_URL=" + p.URL + "/api/stacks/webhooks/c4nary-1234", args: []string{"web", "-tag=good2"}, code: 2, says: "webhook of a whole stack"},
		"no TLS":                {env: "WEB_WEBHOOK_URL=http://portainer.example.com/api/webhooks/c4nary-1234", args: []string{"web", "-tag=good2"}, code: 2, says: "begins with http://"},
		"switched off":          {env: "WEB_WEBHOOK_URL=" + p.URL + "/api/webhooks/c4nary-1234", args: []string{"web", "-tag=good2"}, code: 1, says: "has no such webhook"},
		"another host":          {env: "WEB_WEBHOOK_URL=https://127.0.0.1:1/api/webhooks/c4nary-1234", args: []string{"web", "-tag=good2"}, code: 1, says: "connection refused\nrepo_dev_web was not changed"},
		"no registry chosen":    {env: poor, args: []string{"web", "-tag=good2"}, code: 1, says: "could not pull the image"},
		"a redirect":            {env: hook, args: []string{"web", "-tag=good2"}, fault: &faulty.Fault{Path: "/api/webhooks/", Status: 301, Header: map[string]string{"Location": "https://elsewhere.example.com/api/webhooks/c4nary"}}, code: 1, says: "sends the webhook on to https://elsewhere.example.com,"},
		"a proxy's error":       {env: hook, args: []string{"web", "-tag=good2", "-timeout=1s"}, fault: &faulty.Fault{Path: "/api/webhooks/", Status: 504}, code: 1, says: "what stands before it says 504"},
		"204 of something else": {env: "WEB_WEBHOOK_URL=" + hookIn(hook), args: []string{"web", "-tag=good2"}, fault: &faulty.Fault{Path: "/api/webhooks/", Status: 204}, code: 1, says: "is as it was"},
	} {
		if c.fault != nil {
			p.Faults.Add(*c.fault)
		}
		r := b.with(t, []string{c.env}, append([]string{"deploy:webhook", "dev"}, c.args...)...)
		if r.Code != c.code || !strings.Contains(r.Stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", name, r.Code, c.code, c.says, r.Stderr)
		}
		if code := hookIn(c.env); code != "" && strings.Contains(r.Stdout+r.Stderr, code[strings.LastIndex(code, "/")+1:]) {
			t.Errorf("%s shows the webhook's address:\n%s", name, r.Stderr)
		}
		if left := p.Faults.Left(); left != 0 {
			t.Fatalf("%s: %d faults never came", name, left)
		}
	}
	if now := b.running(t, "repo_dev_web"); !maps.Equal(before, now) {
		t.Errorf("the tasks were %v and are %v", before, now)
	}
	b.with(t, []string{"WEB_WEBHOOK_URL=" + othersAddress}, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 1).
		Says(t, "the webhook is not that of repo_dev_web, which is as it was, but of repo_dev_other, which it has changed")

	// An answer that was lost, of a call that was carried out.
	p.Faults.Add(faulty.Fault{Path: "/api/webhooks/", Drop: true, Late: true})
	b.with(t, []string{hook}, "deploy:webhook", "dev", "web", "-tag=good2").Exits(t, 0)
	b.runs(t, "repo_dev_web", "good2")
	data, err := json.Marshal(b.state(t))
	must(t, err)
	if code := hookIn(hook); strings.Contains(string(data), code[strings.LastIndex(code, "/")+1:]) {
		t.Error("the Swarm has the webhook's address")
	}
}

func hookIn(variable string) string {
	_, address, _ := strings.Cut(variable, "=")
	return address
}
