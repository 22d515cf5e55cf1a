package apply

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/watch"
)

// What a deploy that failed takes back, and what it keeps its hands off.
func TestKept(t *testing.T) {
	with := func(s convert.Service, before ...convert.Service) *written {
		w := &written{Service: s, action: diff.Update, before: &swarm.Service{Spec: s.Spec}}
		if len(before) > 0 {
			w.before.Spec = before[0].Spec
		}
		return w
	}
	made := &written{Service: mounting(service("new"), mount.TypeVolume, false), action: diff.Create}
	for _, c := range []struct {
		name    string
		written []*written
		states  map[string]watch.State // by key
		want    string                 // "key: part of the reason" for each that is kept
	}{
		{"siblings go back", []*written{with(service("web")), with(service("api"))}, map[string]watch.State{"web": watch.Failed, "api": watch.Done}, ""},
		{"the one that Swarm took back is as it was", []*written{with(service("web")), with(service("api"))}, map[string]watch.State{"web": watch.RolledBack}, "web: "},
		{"the one that Swarm was told to pause", []*written{with(service("web"))}, map[string]watch.State{"web": watch.Paused}, "web: failure_action"},
		{"somebody else's change", []*written{with(service("web")), with(service("api"))}, map[string]watch.State{"web": watch.ChangedByAnother, "api": watch.Gone}, "web: somebody else; api: somebody else"},
		{"one with a volume", []*written{with(mounting(service("web"), mount.TypeVolume, false)), with(service("api"))}, nil, "web: volumes"},
		{"one with a bind mount", []*written{with(mounting(service("web"), mount.TypeBind, false))}, nil, "web: volumes"},
		{"a volume that is only read", []*written{with(mounting(service("web"), mount.TypeVolume, true))}, nil, ""},
		{"a tmpfs holds nothing", []*written{with(mounting(service("web"), mount.TypeTmpfs, false))}, nil, ""},
		{"a volume that it had before", []*written{with(service("web"), mounting(service("web"), mount.TypeVolume, false))}, nil, "web: volumes"},
		{"a new one with a volume", []*written{made}, nil, "new: volumes"},
		{"a volume, and Swarm took it back", []*written{with(mounting(service("web"), mount.TypeVolume, false))}, map[string]watch.State{"web": watch.RolledBack}, "web: "},
		{"what is around a job that has run", []*written{with(service("db")), with(job("migrate", "db")), with(service("api", "migrate")), with(service("other"))}, nil, "db: a job; migrate: stays done; api: a job"},
		{"a job that this deploy did not run", []*written{with(service("api", "migrate")), with(service("other"))}, nil, ""},
	} {
		r := &run{written: c.written}
		r.Want = &convert.Stack{Name: stackName, Services: []convert.Service{job("migrate", "db")}}
		states := map[string]watch.State{}
		for _, w := range c.written {
			r.Want.Services = append(r.Want.Services, w.Service)
			states[w.Spec.Name] = c.states[w.Key]
		}
		got := r.kept(states)
		count := 0
		for _, one := range strings.FieldsFunc(c.want, func(r rune) bool { return r == ';' }) {
			key, part, _ := strings.Cut(strings.TrimSpace(one), ":")
			why, is := got[key]
			if !is || !strings.Contains(why, strings.TrimSpace(part)) || (strings.TrimSpace(part) == "") != (why == "") {
				t.Errorf("%s: %s is kept %t: %q, want %q", c.name, key, is, why, part)
			}
			count++
		}
		if len(got) != count {
			t.Errorf("%s: kept are %q, want %q", c.name, got, c.want)
		}
	}
}
