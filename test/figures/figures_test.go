package figures

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPageSaysWhatIsHeldAndWhatIsNot(t *testing.T) {
	t.Setenv(FileVar, filepath.Join(t.TempDir(), "figures"))
	for _, f := range []Figure{
		{Work: "again", Unit: "ms", Ours: Sample{Name: "slipway", Command: "old", Values: []float64{1}}, AtMost: 1},
		{Work: "again", Unit: "ms", Ours: Sample{Name: "slipway", Command: "slipway build", Values: []float64{30, 10, 20}}, Beside: Sample{Name: "make", Command: "make all", Values: []float64{40}}, AtMost: 0.5},
		{Work: "slow", Unit: "ms", Ours: Sample{Name: "slipway", Values: []float64{300}}, Beside: Sample{Name: "ko", Values: []float64{200}}, AtMost: 1, Note: "Why."},
		{Work: "memory", Unit: "MB", Ours: Sample{Name: "client", Values: []float64{71.26}}, AtMost: 150},
		{Work: "alone", Unit: "ms", Ours: Sample{Name: "slipway", Values: []float64{5}}, Beside: Sample{Name: "Dagger (not on PATH)"}, AtMost: 1.2},
	} {
		if err := keep(f); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Read(os.Getenv(FileVar))
	if err != nil {
		t.Fatal(err)
	}
	page := Page(Machine{When: "2026-01-02", Commit: "4605cc6e", CPU: "some", Cores: 2, MemoryMB: 4000, Versions: []string{"Go 1.26.8"}}, all)
	for _, want := range []string{
		"| again | 20 ms (10…30 ms, n=3) | 40 ms (40…40 ms, n=1) (make) | 0.5 | 0.5× | yes |",
		"| slow | 300 ms (300…300 ms, n=1) | 200 ms (200…200 ms, n=1) (ko) | 1.5 | 1× | **no** |",
		"| memory | 71.3 MB (71.3…71.3 MB, n=1) | – | – | 150 MB | yes |",
		"| alone | 5 ms (5…5 ms, n=1) | Dagger (not on PATH) | – | 1.2× | not measured |",
		"* **again**: `slipway build`, beside `make all`", "Why.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}
