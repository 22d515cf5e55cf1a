package schedule

import (
	"slices"
	"strings"
	"testing"

	"slipway/pipeline"
)

// checks is a plan of: build; lint and test, after build where it is cold, test with a tool
// of its own; image, which needs all three.
func checks() *pipeline.Plan {
	return &pipeline.Plan{Service: "s", Steps: []pipeline.Step{
		{ID: "build"},
		{ID: "tool"},
		{ID: "lint", After: []string{"build"}},
		{ID: "test", Needs: []string{"tool"}, After: []string{"build", "left-out"}},
		{ID: "image", Needs: []string{"build", "lint", "test"}},
	}}
}

// play ends steps in the order given ("build", or "-build" for a failure), and returns
// what may start at each point: before the first, and after each.
func play(t *testing.T, warm bool, ends ...string) (rounds []string) {
	t.Helper()
	plan := checks()
	s := New(t.Context(), plan, warm)
	// A step is ready when all that it awaits has ended; await must not block then.
	look := func() string {
		var out []string
		for i := range plan.Steps {
			st := &plan.Steps[i]
			ready := true
			for _, id := range s.waitsFor(st) {
				select {
				case <-s.ended[id]:
				default:
					ready = false
				}
			}
			if ready {
				if _, ok := s.Await(st); ok {
					out = append(out, st.ID)
				} else {
					out = append(out, st.ID+":no")
				}
			}
		}
		return strings.Join(out, " ")
	}
	rounds = append(rounds, look())
	for _, id := range ends {
		name, failed := strings.CutPrefix(id, "-")
		s.End(plan.Step(name), !failed)
		rounds = append(rounds, look())
	}
	return rounds
}

func TestStepsStartWhenWhatTheyWaitForHasEnded(t *testing.T) {
	for _, test := range []struct {
		name string
		warm bool
		ends []string
		want []string
	}{
		{"cold: checks come after the build", false, []string{"tool", "build", "test", "lint"},
			[]string{"build tool", "build tool", "build tool lint test", "build tool lint test", "build tool lint test image"}},
		{"warm: only what is needed is waited for", true, []string{"tool", "build", "test", "lint"},
			[]string{"build tool lint", "build tool lint test", "build tool lint test", "build tool lint test", "build tool lint test image"}},
		{"cold: a failed build stops all", false, []string{"tool", "-build", "-lint", "-test"},
			[]string{"build tool", "build tool", "build tool lint:no test:no", "build tool lint:no test:no", "build tool lint:no test:no image:no"}},
		{"warm: a failed build stops what already runs", true, []string{"tool", "-build"},
			[]string{"build tool lint", "build tool lint test", "build tool lint:no test:no"}},
		{"a failed lint leaves the tests alone", true, []string{"tool", "-lint"},
			[]string{"build tool lint", "build tool lint test", "build tool lint test"}},
	} {
		if got := play(t, test.warm, test.ends...); !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%s\nwant:\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}
