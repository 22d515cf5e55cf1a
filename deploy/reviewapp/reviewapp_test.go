package reviewapp

import (
	"maps"
	"testing"
	"time"

	"slipway/pipeline"
)

func TestSettingsAreThoseOfTheOrigin(t *testing.T) {
	s := &pipeline.Settings{Environments: map[string]pipeline.EnvironmentSettings{
		"dev": {Server: "deploy@dev.example.com", Directory: "/srv/dev", Variables: map[string]string{"A": "1"}},
	}}
	got := Settings(s, "mr-1", "dev").Environment("mr-1")
	if got.Server != "deploy@dev.example.com" || got.Variables["A"] != "1" || got.Directory != "" {
		t.Errorf("%+v", got)
	}
	if _, there := s.Environments["mr-1"]; there || s.Environments["dev"].Directory != "/srv/dev" {
		t.Error("the repository's settings were changed")
	}
	// A rule that an environment has unsaid goes along: prod is deployed from main.
	if got := Settings(&pipeline.Settings{}, "mr-1", "prod").Environment("mr-1"); got.MayDeploy("mr-1", "feature") == nil || got.MayDeploy("mr-1", "main") != nil {
		t.Errorf("made from prod, it is deployed from %v", got.Branches)
	}
}

func TestVariablesAreThoseOfTheOrigin(t *testing.T) {
	all := map[string]string{"DEV_SERVER_HOST": "a", "DEV_REGISTRY": "b", "MR_1_REGISTRY": "own", "SERVER_HOST": "c", "PROD_SERVER_HOST": "d"}
	got := Variables(all, "mr-1", "dev")
	want := maps.Clone(all)
	want["MR_1_SERVER_HOST"] = "a"
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if len(all) != 5 {
		t.Error("the process's environment was changed")
	}
}

func TestExpired(t *testing.T) {
	at := time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want bool
	}{
		{at.Add(-time.Second), false}, {at, true}, {at.Add(time.Hour), true}, {at.In(time.FixedZone("", 3*3600)), true},
	} {
		if got := (App{Expires: at}).Expired(c.now); got != c.want {
			t.Errorf("at %s: %v", c.now, got)
		}
	}
}
