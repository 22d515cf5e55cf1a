package repro

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// circumstances says what differs around two runs, each a sentence.
func circumstances(recorded, now Run) (out []string) {
	then, here := recorded.With, now.With
	differ := func(what, a, b string) {
		if a != b && a != "" {
			out = append(out, fmt.Sprintf("%s is %s here, and was %s", what, orNone(b), a))
		}
	}
	if len(then.Changed) > 0 {
		out = append(out, "the run had uncommitted changes, which are not here: "+some(then.Changed))
	}
	differ("slipway", then.Slipway, here.Slipway)
	differ("the engine", then.Engine, here.Engine)
	if then.Engine == here.Engine {
		differ("the engine's version", then.EngineVersion, here.EngineVersion)
	}
	differ("the platform", then.Platform, here.Platform)
	if then.Toolchain != here.Toolchain {
		out = append(out, fmt.Sprintf("SLIPWAY_TOOLCHAIN is %s here, and was %s", orNone(here.Toolchain), orNone(then.Toolchain)))
	}
	if then.Registry != here.Registry {
		out = append(out, fmt.Sprintf("REGISTRY is %s here, and was %s", orNone(here.Registry), orNone(then.Registry)))
	}
	if !slices.Equal(then.Mirrors, here.Mirrors) {
		out = append(out, fmt.Sprintf("REGISTRY_MIRROR is %s here, and was %s", orNone(strings.Join(here.Mirrors, ", ")), orNone(strings.Join(then.Mirrors, ", "))))
	}
	for _, r := range recorded.Services {
		if n := now.service(r.Name); n != nil {
			out = append(out, inputs(r, *n)...)
		}
	}
	return out
}

func inputs(r, n Service) (out []string) {
	if r.Go != n.Go && r.Go != "" && n.Go != "" {
		out = append(out, fmt.Sprintf("Go for %s is %s here, and was %s", r.Name, n.Go, r.Go))
	}
	if r.Inputs != n.Inputs && r.Inputs != "" && n.Inputs != "" {
		out = append(out, fmt.Sprintf("the inputs of %s are not the same: its files, its tools or slipway's own plan", r.Name))
	}
	for _, base := range slices.Sorted(maps.Keys(r.Bases)) {
		if is := n.Bases[base]; is != "" && is != r.Bases[base] {
			out = append(out, fmt.Sprintf("the base image %s of %s is %s here, and was %s", base, r.Name, is, r.Bases[base]))
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "not set"
	}
	return s
}

func some(paths []string) string {
	const most = 5
	if len(paths) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
	}
	return strings.Join(paths, ", ")
}
