package diff

import "testing"

func TestCounts(t *testing.T) {
	p := &Plan{Operations: []Operation{{Action: Create}, {Action: Create}, {Action: Update}, {Action: Replace}, {Action: Remove}, {Action: Leave}, {Action: Keep}}}
	if got, want := p.Counts(), (Counts{Create: 3, Update: 1, Delete: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
