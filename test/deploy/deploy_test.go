package deploy

import (
	"maps"
	"strings"
	"testing"
)

func TestDeployUpdateAndNothingToDo(t *testing.T) {
	b := newBed(t)
	b.repo.Write("manifests/dev/app.conf", "level = 1\n")
	web := service("web", "good", "configs: [{source: conf, target: /etc/app.conf}]")
	b.manifest(t, "dev", stack(web, service("other", "good"))+"configs:\n  conf:\n    file: ./dev/app.conf\n")

	b.slipway(t, "deploy:plan", "dev", "-detailedExitcode=true").Exits(t, 10).Says(t, "+ create service", "4 to create")
	b.slipway(t, "deploy:env", "dev", "-timeout=25s").Exits(t, 0).Says(t, "release 1: done", "web ", "1/1")

	before, web1, other1 := b.versions(t), b.running(t, "repo_dev_web"), b.running(t, "repo_dev_other")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "unchanged")
	b.slipway(t, "deploy:plan", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "nothing to change")
	if after := b.versions(t); !maps.Equal(before, after) {
		t.Errorf("a deploy with nothing to do has written:\nbefore %v\nafter  %v", before, after)
	}

	b.repo.Write("manifests/dev/app.conf", "level = 2\n")
	b.commit("other level")
	b.slipway(t, "deploy:plan", "dev").Exits(t, 0).Says(t, "configs./etc/app.conf", "~ update service", "(its tasks are replaced)")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0).Says(t, "release 2: done")
	if now := b.running(t, "repo_dev_other"); !maps.Equal(other1, now) {
		t.Errorf("the tasks of a service that nothing has changed were %v and are %v", other1, now)
	}
	if now := b.running(t, "repo_dev_web"); maps.Equal(web1, now) || len(now) != 1 {
		t.Errorf("the tasks of the changed service were %v and are %v", web1, now)
	}
	b.slipway(t, "deploy:status", "dev", "-detailedExitcode=true").Exits(t, 0).Says(t, "release 2", "all is as released")
	b.slipway(t, "deploy:rollback", "dev").Exits(t, 0).Says(t, "release 3: done")
	history := b.slipway(t, "deploy:history", "dev").Exits(t, 0).Says(t, "back to release 1", "anna@")
	if n := strings.Count(history.Stdout, "\n"); n != 3 {
		t.Errorf("the history has %d lines, want 3:\n%s", n, history.Stdout)
	}
	b.slipway(t, "deploy:remove", "dev").Exits(t, 2).Says(t, "-yes=true")
	b.slipway(t, "deploy:remove", "dev", "-yes=true").Exits(t, 0)
	if left := b.versions(t); len(left) != 1 { // the ingress network
		t.Errorf("after the removal there is still %v", left)
	}
}
