package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// A plan is shown without an engine, and is what the build then does.
func TestThePlanIsWhatIsDone(t *testing.T) {
	r := sample(t, "alpha")
	engine := t.TempDir()
	c := in(r.Dir, "SLIPWAY_CACHE="+engine, "SLIPWAY_ENGINE=tcp://192.0.2.1:1")
	var plan struct {
		Service, Tag, Commit string

		Steps []struct{ ID string }
	}
	asJSON := c.slipway(t, "build:plan", "alpha", "-json=true").Exits(t, 0)
	must(t, json.Unmarshal([]byte(asJSON.Stdout), &plan))
	if plan.Service != "alpha" || plan.Tag != "20240725_"+r.Head()[:8] || plan.Commit != r.Head() || asJSON.Stderr != "" {
		t.Errorf("the plan is\n%s\nand stderr\n%s", asJSON.Stdout, asJSON.Stderr)
	}
	asTree := c.slipway(t, "build:plan", "alpha").Exits(t, 0)
	if first, _, _ := strings.Cut(asTree.Stdout, "\n"); !strings.HasPrefix(first, "alpha "+plan.Tag) {
		t.Errorf("the tree begins with %q", first)
	}
	if left := tree(t, engine); left != "" {
		t.Errorf("planning left something in the cache:\n%s", left)
	}

	in(r.Dir).slipway(t, "build:service", "alpha").Exits(t, 0)
	var done []string
	for _, s := range readRecord(t, r).Services[0].Steps {
		done = append(done, s.ID)
	}
	var planned []string
	for _, s := range plan.Steps {
		planned = append(planned, s.ID)
	}
	if strings.Join(done, " ") != strings.Join(planned, " ") {
		t.Errorf("planned were %q, done were %q", planned, done)
	}
}
