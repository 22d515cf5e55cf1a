package e2e

import (
	"strings"
	"testing"
	"time"

	"slipway/test/gitrepo"
)

// A full build by the engine, before and after: what differs is what was called affected. One
// change is of a package that alpha alone uses, one of a requirement that nobody does.
func TestWhatIsAffectedIsWhatTheEngineBuildsAnew(t *testing.T) {
	r := withSecond(t)
	before := lines(in(r.Dir).slipway(t, "build:all").Exits(t, 0))
	for i, c := range []struct{ file, content, want string }{
		{"services/greet/greet.go", strings.Replace(greetGo, "hello ", "good day ", 1), "alpha"},
		{"services/go.mod", read(t, r.Dir, "services", "go.mod") + "\nrequire example.org/nobody v1.0.0\n", ""},
	} {
		base := r.Head()
		r.Write(c.file, c.content)
		if c.file == "services/greet/greet.go" {
			r.Write("services/greet/greet_test.go", strings.ReplaceAll(greetTestGo, "hello ", "good day "))
		}
		r.Commit("Change "+c.file, gitrepo.Epoch.Add(time.Duration(i+1)*time.Hour))
		got := in(r.Dir, "SLIPWAY_ENGINE=nonsense").slipway(t, "build:affected", "-base="+base)
		affected, _, _ := strings.Cut(got.Stderr, "\n")
		if _, names, ok := strings.Cut(affected, "affected since "+base[:8]+": "); ok {
			affected = strings.ReplaceAll(names, ",", "")
		} else {
			affected = ""
		}
		after := lines(in(r.Dir).slipway(t, "build:all").Exits(t, 0))
		var differ []string
		for _, name := range []string{"alpha", "omega"} {
			if before[name] != after[name] {
				differ = append(differ, name)
			}
		}
		if strings.Join(differ, " ") != c.want || affected != c.want {
			t.Errorf("%s: affected %q, built anew %q, want %q\n%s\nbefore %v\nafter %v", c.file, affected, differ, c.want, got.Stderr, before, after)
		}
		before = after
	}
}
