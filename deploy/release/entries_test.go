package release

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/diff"
)

// kept is a record as a Swarm has it.
func kept(t *testing.T, r Record, state State) swarm.Config {
	t.Helper()
	return swarm.Config{ID: fmt.Sprintf("config%d", r.Number), Spec: swarm.ConfigSpec{Data: pack(t, r), Annotations: swarm.Annotations{
		Name: ObjectName("release", r.Stack, strconv.Itoa(r.Number)), Labels: map[string]string{labelStack: r.Stack, labelNumber: strconv.Itoa(r.Number), labelState: string(state)},
	}}}
}

func TestEntries(t *testing.T) {
	other := record(7)
	other.Stack = "shop_prod"
	damaged, liar := kept(t, record(3), Done), kept(t, record(4), Done)
	damaged.Spec.Data = []byte("x")
	liar.Spec.Labels[labelNumber] = "5"
	configs := []swarm.Config{
		kept(t, record(2), Failed), kept(t, other, Done), damaged, kept(t, record(10), Done), liar, kept(t, record(9), RolledBack),
		{Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "slipway-lock_shop_dev", Labels: map[string]string{labelStack: "shop_dev"}}}}, {},
	}
	entries, warnings := Entries(configs, "shop_dev")
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%d %s %s", e.Number, e.State, e.ConfigID))
	}
	if s := strings.Join(got, ", "); s != "10 done config10, 9 rolled back config9, 2 failed config2" {
		t.Errorf("%s", s)
	}
	if len(warnings) != 2 || !strings.Contains(warnings[0], "slipway-release_shop_dev_3 of a release cannot be read") || !strings.Contains(warnings[1], "slipway-release_shop_dev_4 of a release is passed over: its labels name another one") {
		t.Errorf("%q", warnings)
	}
}

// Releases are written newest first: D done, F failed, R rolled back, A applying.
func TestExpired(t *testing.T) {
	for _, c := range []struct {
		releases string
		keep     int
		gone     string
	}{
		{"", 3, ""},
		{"DDD", 3, ""},
		{"DDDDD", 3, "2 1"},
		{"DDD", 1, "2 1"},
		{"DDD", 0, "2 1"},      // the one that runs stays, whatever is asked for
		{"FFFD", 2, "2"},       // for there is no way back without the good one
		{"DFFFFD", 2, "4 3 2"}, // nor without the one before it
		{"DFFFDD", 2, "4 3 1"}, // though not without end
		{"RRRDD", 1, "4 3 1"},  // a failure is kept as the newest
		{"ADD", 2, "" /* under way */},
		{"DADD", 2, "1"}, // that one died
		{"DAAAA", 2, "3 2 1"},
		{"FFFF", 2, "2 1"},
	} {
		var entries []Entry
		for i, s := range c.releases {
			entries = append(entries, Entry{Record: Record{Number: len(c.releases) - i}, State: map[rune]State{'D': Done, 'F': Failed, 'R': RolledBack, 'A': Applying}[s]})
		}
		var gone []string
		for _, e := range Expired(entries, c.keep) {
			gone = append(gone, strconv.Itoa(e.Number))
		}
		if got := strings.Join(gone, " "); got != c.gone {
			t.Errorf("%s, %d kept: %q go, want %q", c.releases, c.keep, got, c.gone)
		}
	}
}

func TestOwned(t *testing.T) {
	a, b := record(1), record(2)
	b.Want.Configs[0].Name = "shop_dev_app_2"
	b.Want.External.Secrets = []string{"not ours"}
	got := Owned([]Entry{{Record: b}, {Record: a}})
	want := diff.Owned{Services: []string{"shop_dev_web"}, Networks: []string{"shop_dev_default"}, Configs: []string{"shop_dev_app_1", "shop_dev_app_2"}, Secrets: []string{"shop_dev_key_1"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestObjectName(t *testing.T) {
	long := strings.Repeat("a-long-project-", 5)
	for _, c := range []struct{ kind, stack, suffix, want string }{
		{"release", "shop_dev", "12", "slipway-release_shop_dev_12"},
		{"lock", "shop_dev", "", "slipway-lock_shop_dev"},
		{"release", strings.Repeat("x", 45), "12", "slipway-release_" + strings.Repeat("x", 45) + "_12"}, // 64 in all
	} {
		if got := ObjectName(c.kind, c.stack, c.suffix); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	names := map[string]bool{}
	for _, stack := range []string{long + "dev", long + "prod"} {
		for _, suffix := range []string{"", "1", "123456"} {
			n := ObjectName("release", stack, suffix)
			if len(n) > 64 || !strings.HasSuffix(n, suffix) || n != ObjectName("release", stack, suffix) {
				t.Errorf("%q has %d characters", n, len(n))
			}
			names[n] = true
		}
	}
	if len(names) != 6 {
		t.Errorf("two stacks share a name: %v", names)
	}
}

func TestAReasonFitsIntoALabel(t *testing.T) {
	if got := oneLine(" a\nb\tc\x1b[31m \u2028 d "); got != "a b c [31m d" {
		t.Errorf("%q", got)
	}
	if got := oneLine(strings.Repeat("ü", 1000)); len([]rune(got)) != 300 || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%d runes", len([]rune(got)))
	}
}
