package apply

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/test/dockerd"
)

const (
	good   = release.Done
	bad    = release.Failed
	back   = release.RolledBack
	broken = release.Applying
)

func TestTarget(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{})
	d.Init(t)
	for _, c := range []struct {
		stack    string
		releases []recorded
		number   int
		want     int
		says     string
	}{
		{"the-one-before", []recorded{{good, "a"}, {good, "b"}}, 0, 1, ""},
		{"the-last-good-one-after-a-failure", []recorded{{good, "a"}, {good, "b"}, {bad, "c"}}, 0, 2, ""},
		{"after-a-broken-off-deploy", []recorded{{good, "a"}, {broken, "b"}}, 0, 1, ""},
		{"what-was-taken-back-to-runs-already", []recorded{{good, "a"}, {good, "b"}, {back, "c"}}, 0, 1, ""},
		{"the-same-recorded-twice-is-no-earlier-one", []recorded{{good, "a"}, {good, "b"}, {broken, "b"}, {good, "b"}}, 0, 1, ""},
		{"back-and-forth", []recorded{{good, "a"}, {good, "b"}, {good, "a"}}, 0, 2, ""},
		{"a-number", []recorded{{good, "a"}, {good, "b"}, {good, "c"}}, 1, 1, ""},
		{"the-number-of-what-runs", []recorded{{good, "a"}, {good, "b"}}, 2, 2, ""},
		{"the-number-of-a-failure", []recorded{{good, "a"}, {bad, "b"}}, 2, 0, `release 2 of the-number-of-a-failure ended as "failed"`},
		{"a-number-that-is-not-there", []recorded{{good, "a"}, {good, "b"}}, 7, 0, "there is no record of a release 7 of a-number-that-is-not-there: there are 2, 1"},
		{"only-one", []recorded{{good, "a"}}, 0, 0, "there is no earlier release"},
		{"only-failures", []recorded{{bad, "a"}, {back, "b"}}, 0, 0, "there is no earlier release"},
		{"nothing", nil, 0, 0, "there is no record of any release"},
	} {
		releases(t, d, c.stack, c.releases...)
		e, err := Target(&live.State{Configs: configs(t, d)}, c.stack, c.number)
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.stack, err, c.says)
			}
		case err != nil:
			t.Errorf("%s: %v", c.stack, err)
		case e.Number != c.want:
			t.Errorf("%s: release %d, want %d", c.stack, e.Number, c.want)
		}
	}
}

func TestBackNeedsWhatTheReleaseUsed(t *testing.T) {
	w := full()
	w.External = convert.External{Configs: []string{"c_ext"}, Secrets: []string{"s_ext"}}
	e := &release.Entry{Record: release.Record{Number: 3, Stack: stackName, Want: w}}
	_, err := Back(&live.State{}, e)
	if err == nil || err.Error() != "release 3 of shop_dev cannot be brought back: what it used is no longer in the Swarm: config c_1, secret s_1, config c_ext, secret s_ext" {
		t.Errorf("%v", err)
	}
	state := &live.State{}
	for _, n := range []string{"c_1", "c_ext"} {
		state.Configs = append(state.Configs, swarm.Config{Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	for _, n := range []string{"s_1", "s_ext"} {
		state.Secrets = append(state.Secrets, swarm.Secret{Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: n}}})
	}
	got, err := Back(state, e)
	if err != nil || !sameStack(got, w) {
		t.Errorf("%v %+v", err, got)
	}
}
