package apply

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"slipway/deploy/convert"
)

func TestWaves(t *testing.T) {
	for _, c := range []struct {
		services []convert.Service
		want     string
	}{
		{nil, ""},
		{[]convert.Service{service("web"), service("api")}, "api web"},
		{[]convert.Service{service("web", "api"), service("api", "db"), service("db")}, "db | api | web"},
		{[]convert.Service{service("a"), service("b", "a"), service("c", "a"), service("d", "b", "c"), service("e")}, "a e | b c | d"},
		{[]convert.Service{service("web", "migrate"), job("migrate", "db"), service("db"), service("other")}, "db other | migrate | web"},
		{[]convert.Service{service("web", "elsewhere")}, "web"}, // not of this deploy
		{[]convert.Service{service("a"), service("b", "c"), service("c", "b")}, "a | b c"},
	} {
		var got []string
		for _, wave := range waves(c.services) {
			var keys []string
			for _, s := range wave {
				keys = append(keys, s.Key)
			}
			got = append(got, strings.Join(keys, " "))
		}
		if s := strings.Join(got, " | "); s != c.want {
			t.Errorf("%q, want %q", s, c.want)
		}
	}
}

func TestRelated(t *testing.T) {
	services := []convert.Service{service("db"), job("migrate", "db"), service("api", "migrate"), service("web", "api"), service("other"), service("report", "db")}
	for _, c := range []struct{ of, want string }{
		{"migrate", "api db migrate web"}, // report shares the database, and nothing else
		{"other", "other"},
		{"db", "api db migrate report web"},
		{"web", "api db migrate web"},
		{"", ""},
	} {
		keys := map[string]bool{}
		if c.of != "" {
			keys[c.of] = true
		}
		if got := strings.Join(slices.Sorted(maps.Keys(related(services, keys))), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.of, got, c.want)
		}
		if len(keys) > 1 {
			t.Error("what was asked for is changed")
		}
	}
}
