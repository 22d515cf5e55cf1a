package stack

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/live"
)

// The whole system's life, on one server: each part goes on from the one before.
func TestTheSystem(t *testing.T) {
	b := newBed(t)
	b.push(t)
	c := newCertificate(t)
	prod := newSite(b.docker, 443, c)
	part := func(name string, do func(t *testing.T)) {
		t.Helper()
		began := time.Now()
		if !t.Run(name, do) {
			t.FailNow()
		}
		t.Logf("%s: %s", name, time.Since(began).Round(100*time.Millisecond))
	}
	part("manifests", func(t *testing.T) {
		for env := range overrides {
			b.slipway(t, "deploy:lint", env).Exits(t, 0)
		}
	})
	part("first deploy", func(t *testing.T) {
		b.slipway(t, "deploy:env", "prod").Exits(t, 1).Says(t, "project-prod-postgres-passwd", "project-prod-nginx-proxy-crt", "project-prod-nginx-proxy-key")
		b.slipway(t, "secret:generate", "prod", "project-prod-postgres-passwd").Exits(t, 0)
		b.slipway(t, "secret:set", "prod", "project-prod-nginx-proxy-crt", "-file="+c.crt).Exits(t, 0)
		b.slipway(t, "secret:set", "prod", "project-prod-nginx-proxy-key", "-file="+c.key).Exits(t, 0)
		b.slipway(t, "deploy:env", "prod").Exits(t, 0).Says(t, "project_prod release 1: done")
	})
	part("through the proxy", func(t *testing.T) { b.throughTheProxy(t, prod) })
	part("the page", func(t *testing.T) { b.page(t, c, prod) })
	part("rolling update", func(t *testing.T) { b.roll(t, prod) })
	part("broken release", func(t *testing.T) { b.broken(t, prod) })
	part("dev beside prod", func(t *testing.T) { b.beside(t, prod) })
	part("data stays", func(t *testing.T) { b.dataStays(t, prod) })
}

// scriptOf finds the script of a page.
var scriptOf = regexp.MustCompile(`<script [^>]*src="(/assets/[^"]+)"`)

// throughTheProxy asks over plain HTTP and TLS what the proxy answers itself, and what it passes on.
func (b *bed) throughTheProxy(t *testing.T, prod *site) {
	plain := newSite(b.docker, 80, nil)
	for _, s := range []*site{plain, prod} {
		if text := s.get(t, "/health"); text != `{"status":"UP"}` {
			t.Errorf("%s/health says %s", s.url, text)
		}
	}
	a, err := plain.ask(t.Context(), http.MethodGet, "/api/notes?limit=1", "")
	must(t, err)
	if to := a.header.Get("Location"); a.status != http.StatusMovedPermanently || to != "https://localhost/api/notes?limit=1" {
		t.Errorf("plain HTTP is answered with %d to %q", a.status, to)
	}
	a, err = prod.ask(t.Context(), http.MethodGet, "/", "")
	must(t, err)
	if a.status != http.StatusOK || !strings.Contains(a.text, `<div id="root">`) || a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the page: %d %v %s", a.status, a.header, a.text)
	}
	script := scriptOf.FindStringSubmatch(a.text)
	if script == nil {
		t.Fatalf("the page has no script: %s", a.text)
	}
	for path, cached := range map[string]bool{script[1]: true, "/assets/index-ofAnotherVersion.js": false} {
		a, err := prod.ask(t.Context(), http.MethodGet, path, "")
		must(t, err)
		if a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Type"), "javascript") || strings.Contains(a.header.Get("Cache-Control"), "max-age") != cached {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a, err := prod.ask(t.Context(), http.MethodGet, "/assets/nothing.png", ""); err != nil || a.status != http.StatusNotFound {
		t.Errorf("a picture that is not there: %v %v", a, err)
	}
	for path, want := range map[string]string{
		"/version.json":        `{"name":"frontend","version":"` + b.tag["frontend"] + `"}`,
		"/api/service/version": `{"name":"backend","version":"` + b.tag["backend"] + `"}`,
		"/ping/version":        `{"name":"ping","version":"` + b.tag["ping"] + `"}`,
		"/api/notes":           `{"notes":[],"limit":20,"offset":0,"more":false}`,
	} {
		if text := prod.get(t, path); strings.TrimSpace(text) != want {
			t.Errorf("%s says %s, want %s", path, text, want)
		}
	}
	if text := prod.get(t, "/metrics"); !strings.Contains(text, `<div id="root">`) { // as any path that the frontend does not know
		t.Errorf("the services' metrics are shown to the world: %.200s", text)
	}
}

// roll updates backend and frontend under load.
func (b *bed) roll(t *testing.T, prod *site) {
	before := maps.Clone(b.tag)
	b.change(t, "services/backend/config.toml", "# The image's default", "# The default of the image")
	b.change(t, "services/frontend/src/App.tsx", "<h1>Notes</h1>", "<h1>Our notes</h1>")
	b.push(t)
	pings := b.tasks(t, "project_prod_ping", "project_prod_postgres", "project_prod_nginx-proxy")
	l := underLoad(t, prod)
	b.slipway(t, "deploy:env", "prod").Exits(t, 0).Says(t, "project_prod release 2: done")
	l.atLeast(t, 2000)
	for _, service := range []string{"backend", "frontend"} {
		l.moved(t, service, before[service], b.tag[service])
	}
	if now := b.tasks(t, "project_prod_ping", "project_prod_postgres", "project_prod_nginx-proxy"); !maps.Equal(pings, now) {
		t.Errorf("the tasks of services that nothing has changed were %v and are %v", pings, now)
	}
}

// broken deploys a backend that does not start: the old one answers all the time, and runs on.
func (b *bed) broken(t *testing.T, prod *site) {
	prod.write(t, "before-the-broken-release")
	before := b.tasks(t, "project_prod_frontend", "project_prod_ping", "project_prod_nginx-proxy")
	b.change(t, "manifests/prod/backend/config.toml", "bind-host", "bind-hots")
	l := underLoad(t, prod)
	b.slipway(t, "deploy:env", "prod").Exits(t, 3).Says(t, `there is no setting "http.bind-hots"`, "project_prod release 3: rolled back")
	l.atLeast(t, 500)
	for _, service := range []string{"backend", "frontend"} {
		l.stayed(t, service, b.tag[service])
	}
	if now := b.tasks(t, "project_prod_frontend", "project_prod_ping", "project_prod_nginx-proxy"); !maps.Equal(before, now) {
		t.Errorf("the tasks of services that nothing has changed were %v and are %v", before, now)
	}
	b.change(t, "manifests/prod/backend/config.toml", "bind-hots", "bind-host")
	b.slipway(t, "deploy:env", "prod").Exits(t, 0).Says(t, "unchanged")
}

// beside deploys dev on the same manager, with a database of its own, and takes it away again.
func (b *bed) beside(t *testing.T, prod *site) {
	all := []string{"postgres", "backend", "ping", "frontend", "nginx-proxy"}
	for i := range all {
		all[i] = "project_prod_" + all[i]
	}
	before, notes := b.tasks(t, all...), prod.titles(t)
	l := underLoad(t, prod)
	b.slipway(t, "secret:generate", "dev", "project-dev-postgres-passwd").Exits(t, 0)
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "project_dev release 1: done")
	dev := newSite(b.docker, 8082, nil)
	dev.write(t, "of-dev")
	if got := dev.titles(t); got != "of-dev" {
		t.Errorf("dev has the notes %s", got)
	}
	if got := prod.titles(t); got != notes {
		t.Errorf("with dev beside it, prod has the notes %s, and had %s", got, notes)
	}
	devs := b.tasks(t, "project_dev_backend", "project_dev_frontend")
	b.slipway(t, "deploy:env", "prod").Exits(t, 0).Says(t, "unchanged")
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0)
	if now := b.tasks(t, "project_dev_backend", "project_dev_frontend"); !maps.Equal(devs, now) {
		t.Errorf("a deploy of prod has changed dev's tasks from %v to %v", devs, now)
	}
	b.slipway(t, "deploy:remove", "dev", "-yes=true").Exits(t, 0)
	l.atLeast(t, 500)
	if now := b.tasks(t, all...); !maps.Equal(before, now) {
		t.Errorf("deploying and removing dev has changed prod's tasks from %v to %v", before, now)
	}
	b.slipway(t, "deploy:status", "prod", "-detailedExitcode=true").Exits(t, 0)
}

// dataStays goes back to an earlier release, takes the stack away, and deploys it anew.
func (b *bed) dataStays(t *testing.T, prod *site) {
	notes := prod.titles(t)
	b.slipway(t, "deploy:rollback", "prod", "-to=1").Exits(t, 0)
	if got := prod.titles(t); got != notes || notes == "" {
		t.Errorf("after going back there are the notes %q, and there were %q", got, notes)
	}
	b.slipway(t, "deploy:remove", "prod", "-yes=true").Exits(t, 0)
	services, err := b.docker.Client.ServiceList(t.Context(), client.ServiceListOptions{})
	must(t, err)
	if n := len(services.Items); n != 0 {
		t.Errorf("after the removal there are %d services", n)
	}
	b.slipway(t, "deploy:env", "prod").Exits(t, 0).Says(t, "project_prod release 1: done")
	if got := prod.titles(t); got != notes {
		t.Errorf("after the stack's removal and a new deploy there are the notes %q, and there were %q", got, notes)
	}
}

// tasks are the ids of the running tasks of services, by service and id.
func (b *bed) tasks(t *testing.T, services ...string) map[string]bool {
	t.Helper()
	s, err := live.Read(t.Context(), b.docker.Client)
	must(t, err)
	out := map[string]bool{}
	for _, name := range services {
		service := s.Service(name)
		if service == nil {
			t.Fatalf("there is no service %s", name)
		}
		for _, x := range s.Tasks {
			if x.ServiceID == service.ID && x.Status.State == swarm.TaskStateRunning && x.DesiredState == swarm.TaskStateRunning {
				out[name+" "+x.ID] = true
			}
		}
	}
	return out
}
