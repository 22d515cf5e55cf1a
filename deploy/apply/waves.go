package apply

import (
	"maps"
	"slices"

	"slipway/deploy/convert"
)

// waves puts services in the order of their depends_on: each wave needs only the ones before
// it. The manifest's loader has refused cycles; were there one, its services come last.
func waves(services []convert.Service) [][]convert.Service {
	left := map[string]convert.Service{}
	for _, s := range services {
		left[s.Key] = s
	}
	var out [][]convert.Service
	for len(left) > 0 {
		var wave []convert.Service
		for _, key := range slices.Sorted(maps.Keys(left)) {
			s := left[key]
			if !slices.ContainsFunc(s.DependsOn, func(d string) bool { _, waits := left[d]; return waits }) {
				wave = append(wave, s)
			}
		}
		if len(wave) == 0 {
			wave = slices.SortedFunc(maps.Values(left), func(a, b convert.Service) int {
				if a.Key < b.Key {
					return -1
				}
				return 1
			})
		}
		for _, s := range wave {
			delete(left, s.Key)
		}
		out = append(out, wave)
	}
	return out
}

// related gives the keys of the services that depend on one of these, or that one of these
// depends on, at any distance, and these themselves.
func related(services []convert.Service, keys map[string]bool) map[string]bool {
	out := maps.Clone(keys)
	grow := func(next func(s convert.Service, in map[string]bool) []string) {
		in := maps.Clone(keys)
		for again := true; again; {
			again = false
			for _, s := range services {
				for _, k := range next(s, in) {
					if !in[k] {
						in[k], again = true, true
					}
				}
			}
		}
		maps.Copy(out, in)
	}
	grow(func(s convert.Service, in map[string]bool) []string { // who depends on them
		if slices.ContainsFunc(s.DependsOn, func(d string) bool { return in[d] }) {
			return []string{s.Key}
		}
		return nil
	})
	grow(func(s convert.Service, in map[string]bool) []string { // whom they depend on
		if in[s.Key] {
			return s.DependsOn
		}
		return nil
	})
	return out
}
