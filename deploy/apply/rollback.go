package apply

import (
	"fmt"
	"strings"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
)

// Target chooses the release to go back to: the one of a number, or with 0 the newest good one
// that is not what runs now.
func Target(state *live.State, stack string, number int) (*release.Entry, error) {
	entries, _ := release.Entries(state.Configs, stack)
	var good []string
	live := running(entries)
	for i := range entries {
		e := &entries[i]
		if number != 0 && e.Number == number {
			if e.State != release.Done {
				return nil, fmt.Errorf("release %d of %s ended as %q: go back to one that went well (deploy:history lists them)", number, stack, e.State)
			}
			return e, nil
		}
		if e.State != release.Done {
			continue
		}
		good = append(good, fmt.Sprint(e.Number))
		if number == 0 && (live == nil || !sameStack(e.Want, live.Want)) {
			return e, nil
		}
	}
	switch {
	case number != 0 && len(good) > 0:
		return nil, fmt.Errorf("there is no record of a release %d of %s: there are %s", number, stack, strings.Join(good, ", "))
	case len(entries) == 0:
		return nil, fmt.Errorf("there is no record of any release of %s in this Swarm", stack)
	}
	return nil, fmt.Errorf("there is no earlier release of %s to go back to (deploy:history shows what there is)", stack)
}

// running is the release that runs now: the newest good one, unless a deploy has failed since and
// was not taken back.
func running(entries []release.Entry) *release.Entry {
	for i := range entries {
		switch entries[i].State {
		case release.Done:
			return &entries[i]
		case release.RolledBack:
		default:
			return nil
		}
	}
	return nil
}

// Back is what a release wanted, to be wanted again: its configs and secrets have to be there
// still, since records have no contents. All missing ones are named in one error.
func Back(state *live.State, e *release.Entry) (*convert.Stack, error) {
	want := *e.Want
	have := map[string]bool{}
	for _, c := range state.Configs {
		have["config "+c.Spec.Name] = true
	}
	for _, s := range state.Secrets {
		have["secret "+s.Spec.Name] = true
	}
	var missing []string
	need := func(kind, name string) {
		if !have[kind+" "+name] {
			missing = append(missing, kind+" "+name)
		}
	}
	for _, c := range want.Configs {
		need("config", c.Name)
	}
	for _, s := range want.Secrets {
		need("secret", s.Spec.Name)
	}
	for _, n := range want.External.Configs {
		need("config", n)
	}
	for _, n := range want.External.Secrets {
		need("secret", n)
	}
	if missing != nil {
		return nil, fmt.Errorf("release %d of %s cannot be brought back: what it used is no longer in the Swarm: %s", e.Number, e.Stack, strings.Join(missing, ", "))
	}
	return &want, nil
}
