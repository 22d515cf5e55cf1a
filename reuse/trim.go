package reuse

import (
	"slices"

	"slipway/pipeline"
)

// Without is the plan without steps of these IDs, what only they need, and the exports of their
// output. The plan itself stays as it is.
func Without(plan *pipeline.Plan, ids ...string) *pipeline.Plan {
	gone := map[string]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	for _, s := range plan.Steps {
		if s.Export != nil && gone[s.Export.Step] {
			gone[s.ID] = true
		}
	}
	for _, s := range plan.Steps {
		if s.Run != nil && !gone[s.ID] && onlyFor(plan, s.ID, gone) {
			gone[s.ID] = true
		}
	}
	out := *plan
	out.Steps, out.Requires = nil, nil
	dropped := func(id string) bool { return gone[id] }
	for _, s := range plan.Steps {
		if gone[s.ID] {
			continue
		}
		s.Needs = slices.DeleteFunc(slices.Clone(s.Needs), dropped)
		s.After = slices.DeleteFunc(slices.Clone(s.After), dropped)
		out.Steps = append(out.Steps, s)
		if s.Run != nil && s.Run.On.Go != "" && !slices.Contains(out.Requires, s.Run.On.Go) {
			out.Requires = append(out.Requires, s.Run.On.Go)
		}
	}
	return &out
}

// onlyFor reports whether a step is needed, and by none but what is gone.
func onlyFor(plan *pipeline.Plan, id string, gone map[string]bool) bool {
	needed := false
	for _, s := range plan.Steps {
		if slices.Contains(s.Needs, id) {
			if !gone[s.ID] {
				return false
			}
			needed = true
		}
	}
	return needed
}

// Checks are those of lint, test and build that a plan has.
func Checks(plan *pipeline.Plan) (out []string) {
	for _, c := range []string{"build", "lint", "test"} {
		if plan.Step(plan.Service+"/"+c) != nil {
			out = append(out, c)
		}
	}
	return out
}
