package deploy

import (
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/test/fakeportainer"
	"slipway/test/faulty"
	"slipway/test/gitrepo"
)

// portainerToken is an administrator's access token, memberToken that of somebody who may use the
// environments, guestToken that of somebody who may not.
const portainerToken, memberToken, guestToken = "ptr_c4nary-t0ken", "ptr_c4nary-member", "ptr_c4nary-guest"

// throughPortainer puts a Portainer before a bed's daemon, under the name of each way that
// Portainer has to a daemon, and takes SSH away. The environment is the first one.
func (b *bed) throughPortainer(t testing.TB) *fakeportainer.Server {
	t.Helper()
	daemon := strings.TrimPrefix(b.docker.Host, "unix://")
	host, err := os.Hostname()
	must(t, err)
	p := fakeportainer.Start(t, fakeportainer.Options{Environments: []fakeportainer.Environment{
		{Name: "socket", Daemon: daemon}, {Name: "tcp", Kind: fakeportainer.TCP, Daemon: daemon},
		{Name: "agent", Kind: fakeportainer.Agent, Daemon: daemon, Node: host}, {Name: "cluster", Kind: fakeportainer.Kubernetes},
	}})
	p.AddToken(portainerToken, fakeportainer.User{Name: "root", Admin: true})
	b.server.Stop()
	b.env = append(b.env, "SSH_KEY=", "SERVER_HOST="+p.Host("socket"), "PORTAINER_TOKEN="+portainerToken, "PORTAINER_CA="+p.CA)
	return p
}

// by is a way through Portainer other than the bed's own.
func by(p *fakeportainer.Server, environment string) []string {
	return []string{"SERVER_HOST=" + p.Host(environment)}
}

func TestAStackIsDeployedThroughPortainer(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.repo.Write("manifests/dev/app.conf", "level = 1\n")
	web := func(mode string) string {
		return service("web", mode, "configs: [{source: conf, target: /etc/app.conf}]", "networks: [inner]")
	}
	manifest := func(web string) {
		b.manifest(t, "dev", stack(web, service("other", "good"))+"configs:\n  conf:\n    file: ./dev/app.conf\nnetworks:\n  inner: {}\n")
	}
	manifest(web("good"))
	b.slipway(t, "deploy:plan", "dev", "-detailedExitcode=true").Exits(t, 10).Says(t, "+ create service", "5 to create")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 1: done")

	// Whichever way it goes, what is there is seen as it is, and no write is sent.
	before := b.versions(t)
	for _, way := range []string{"socket", "tcp", "agent"} {
		b.with(t, by(p, way), "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	}
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Errorf("a deploy with nothing to do has written:\nbefore %v\nafter  %v", before, after)
	}

	manifest(web("good2"))
	b.with(t, by(p, "tcp"), "deploy:env", "dev").Exits(t, 0).Says(t, "release 2: done")
	b.runs(t, "repo_dev_web", "good2")
	for _, way := range []string{"socket", "agent"} {
		manifest(web("sick"))
		b.with(t, by(p, way), "deploy:env", "dev").Exits(t, 3).Says(t, "web: rolled back", "its health check fails", "checked sick", "app in mode sick", "runs now   1 × ")
		eventually(t, "the version before runs alone", func() bool {
			got := versionsOf(b.running(t, "repo_dev_web"))
			return len(got) == 1 && got[0] == "good2"
		})
	}
	b.with(t, by(p, "agent"), "deploy:rollback", "dev").Exits(t, 0).Says(t, "release 5: done")
	b.runs(t, "repo_dev_web", "good")
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "release 5", "all is as released")
	b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "back to release 1", "rolled back", "anna@")
	b.slipway(t, "deploy:unlock", "dev").Exits(t, 0).Says(t, "was not locked")
	b.with(t, by(p, "agent"), "deploy:remove", "dev", "-yes=true").Exits(t, 0)
	if left := b.versions(t); len(left) != 1 { // the ingress network
		t.Errorf("after the removal there is still %v", left)
	}
}

func TestTwoDeploysThroughPortainer(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	// Whether a lock's holder lives is seen by its heartbeat, which is longer than three seconds.
	slow := strings.Replace(service("web", "sick"), "interval: 300ms", "interval: 10s", 1)
	b.manifest(t, "dev", stack(slow))
	first := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "the first one has the lock", func() bool { return strings.Contains(first.Stderr.String(), "updating web") })
	b.with(t, by(p, "tcp"), "deploy:env", "dev", "-image=app=good2").Exits(t, 5).Says(t, "is locked by anna@")

	// Portainer loses the daemon, and finds it again.
	p.SetDown("socket", true)
	eventually(t, "the loss is seen", func() bool { return strings.Contains(first.Stderr.String(), "connection to the Swarm lost") })
	p.SetDown("socket", false)
	first.wait(t).Exits(t, 3).Says(t, "web: rolled back")
}

func TestSecretsThroughPortainer(t *testing.T) {
	b := newBed(t)
	p := b.throughPortainer(t)
	b.repo.Write("slipway.yaml", "project: repo\nenvironments: {dev: {timeout: 60s}}\n")
	b.manifest(t, "dev", stack(service("web", "good", "secrets: [pw]"))+"secrets: {pw: {external: true, name: repo-pw}}\n")
	value := []string{"PW=c4nary-value-1"}
	b.with(t, value, "secret:set", "dev", "pw", "-env=PW").Exits(t, 0)
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.slipway(t, "secret:list", "dev").Exits(t, 0).Says(t, "repo-pw")

	// A command that gets its input says so; one that Portainer hands none to must not be run at all.
	before := b.running(t, "repo_dev_web")
	count := `-command=n=$(wc -c); [ "$n" -eq 16 ] || { echo "got $n bytes" >&2; exit 9; }`
	for _, way := range []string{"socket", "agent"} {
		b.with(t, append(by(p, way), "PW=c4nary-value-002"), "secret:rotate", "dev", "pw", "-env=PW", "-service=web", count).Exits(t, 1).
			Says(t, "Portainer hands no input on to commands", "No service was changed")
	}
	p.Go = "go1.22.7"
	b.with(t, append(by(p, "tcp"), "PW=c4nary-value-002"), "secret:rotate", "dev", "pw", "-env=PW", "-service=web", count).Exits(t, 1).
		Says(t, "made with Go 1.24 or later", "No service was changed")
	p.Go = ""
	if now := b.running(t, "repo_dev_web"); !maps.Equal(before, now) {
		t.Error("a rotation that was refused has replaced tasks")
	}
	b.with(t, append(by(p, "tcp"), "PW=c4nary-value-002"), "secret:rotate", "dev", "pw", "-env=PW", "-service=web", count).Exits(t, 0)
	b.runs(t, "repo_dev_web", "good")
}

// Portainer takes words in a path for its own: what it would answer about such an image is not
// about the image.
func TestAnImageNameThatPortainerMistakes(t *testing.T) {
	b := newBed(t)
	b.throughPortainer(t)
	b.push(t, "edge/app:good", "good")
	b.manifest(t, "dev", strings.Replace(stack(service("web", "good")), "/app:", "/edge/app:", 1))
	b.slipway(t, "deploy:env", "dev").Exits(t, 1).Says(t, "/edge/app", "Portainer takes an address with /edge/")
}

// TestPortainerThatDoesNotLetIn has what keeps one out, each with what to do. No daemon is there.
func TestPortainerThatDoesNotLetIn(t *testing.T) {
	t.Parallel()
	b := &bed{repo: gitrepo.New(t), env: []string{"SLIPWAY_PROGRESS=plain", "SLIPWAY_HOME=" + home, "USER=anna"}}
	b.repo.Write("slipway.yaml", "project: repo\n")
	b.commit("settings")
	p := fakeportainer.Start(t, fakeportainer.Options{Path: "/portainer", Environments: []fakeportainer.Environment{
		{Name: "swarm"}, {Name: "far", Kind: fakeportainer.TCP, Down: true}, {Name: "cluster", Kind: fakeportainer.Kubernetes}, {Name: "gone", Down: true},
	}})
	p.AddToken(portainerToken, fakeportainer.User{Name: "root", Admin: true})
	p.AddToken(guestToken, fakeportainer.User{Name: "guest"})
	p.AddToken(memberToken, fakeportainer.User{Name: "member", Sees: true})
	foreign := fakeportainer.OtherCA(t, time.Now())
	other := fakeportainer.Start(t, fakeportainer.Options{})
	good := map[string]string{"SERVER_HOST": p.Host("swarm"), "PORTAINER_TOKEN": portainerToken, "PORTAINER_CA": p.CA}
	for name, c := range map[string]struct {
		env   map[string]string
		fault *faulty.Fault
		code  int
		says  string
	}{
		"no token":           {env: map[string]string{"PORTAINER_TOKEN": ""}, code: 1, says: "PORTAINER_TOKEN is not set"},
		"a removed token":    {env: map[string]string{"PORTAINER_TOKEN": "ptr_c4nary-removed"}, code: 1, says: "does not accept the access token in PORTAINER_TOKEN"},
		"no access":          {env: map[string]string{"PORTAINER_TOKEN": guestToken}, code: 1, says: "shows no environment to the user of PORTAINER_TOKEN"},
		"no administrator":   {env: map[string]string{"PORTAINER_TOKEN": memberToken}, code: 1, says: "is of member, who is no administrator"},
		"no such name":       {env: map[string]string{"SERVER_HOST": p.Host("swam")}, code: 1, says: `has no environment "swam": there are swarm (1), far (2), cluster (3), gone (4)`},
		"no such number":     {env: map[string]string{"SERVER_HOST": p.Host("9")}, code: 1, says: `has no environment "9"`},
		"several, and none":  {env: map[string]string{"SERVER_HOST": strings.TrimSuffix(p.Host(""), "?endpoint=")}, code: 1, says: "say which is meant"},
		"kubernetes":         {env: map[string]string{"SERVER_HOST": p.Host("cluster")}, code: 1, says: "is no Docker"},
		"daemon down":        {env: map[string]string{"SERVER_HOST": p.Host("far")}, code: 1, says: "does not reach Docker (502)"},
		"socket down":        {env: map[string]string{"SERVER_HOST": p.Host("gone")}, code: 1, says: "does not reach Docker: Unable to proxy the request via the Docker socket"},
		"unknown authority":  {env: map[string]string{"PORTAINER_CA": ""}, code: 1, says: "set PORTAINER_CA"},
		"another authority":  {env: map[string]string{"PORTAINER_CA": foreign}, code: 1, says: "not signed by an authority that is trusted here"},
		"no authority":       {env: map[string]string{"PORTAINER_CA": "-----BEGIN nothing"}, code: 1, says: "PORTAINER_CA holds no certificate"},
		"another path":       {env: map[string]string{"SERVER_HOST": other.Host("swarm"), "PORTAINER_CA": other.CA}, code: 1, says: "does not accept the access token"},
		"the path forgotten": {env: map[string]string{"SERVER_HOST": strings.Replace(p.Host("swarm"), "/portainer?", "?", 1)}, code: 1, says: "is no Portainer, or not its address: 404"},
		"no TLS":             {env: map[string]string{"SERVER_HOST": "portainer", "PORTAINER_URL": "http://portainer.example.com:9000"}, code: 2, says: "begins with http://"},
		"no address":         {env: map[string]string{"SERVER_HOST": "portainer"}, code: 2, says: "set PORTAINER_URL="},
		"a password":         {env: map[string]string{"SERVER_HOST": "portainer://root:c4nary-pw@portainer.example.com"}, code: 2, says: "has a user or a password in it"},
		"a redirect":         {fault: &faulty.Fault{Path: "/api/endpoints", Status: 302, Header: map[string]string{"Location": other.URL + "/api/endpoints"}}, code: 1, says: "where the access token is not taken"},
		"a proxy's error":    {fault: &faulty.Fault{Path: "/api/endpoints", Status: 503, Body: "<html>"}, code: 1, says: "what stands before it says 503"},
		"a login page":       {fault: &faulty.Fault{Path: "/api/endpoints", Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>"}, code: 1, says: "is no Portainer"},
	} {
		env := maps.Clone(good)
		maps.Copy(env, c.env)
		var list []string
		for k, v := range env {
			list = append(list, k+"="+v)
		}
		if c.fault != nil {
			p.Faults.Add(*c.fault)
		}
		r := b.with(t, list, "deploy:status", "dev")
		if r.Code != c.code || !strings.Contains(r.Stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", name, r.Code, c.code, c.says, r.Stderr)
		}
		if strings.Contains(r.Stdout+r.Stderr, "c4nary") {
			t.Errorf("%s shows a secret:\n%s", name, r.Stderr)
		}
		if left := p.Faults.Left(); left != 0 {
			t.Errorf("%s: %d faults never came", name, left)
		}
	}
	for _, r := range other.Requests() {
		if !strings.Contains(r, "GET /api/endpoints") {
			t.Errorf("a redirect was followed: %s", r)
		}
	}
	if n := len(other.Requests()); n != 1 { // of "another path"
		t.Errorf("the other Portainer was asked %d times", n)
	}
}
