package timeline

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/progress/recording"
)

var update = flag.Bool("update", false, "write the golden page anew")

func TestPage(t *testing.T) {
	got, err := Render(pipeline(), Limit)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/pipeline.html"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d differs (-update writes it anew)\ngot  %s\nwant %s", i+1, a[i], b[i])
			}
		}
		t.Fatalf("%d lines, want %d (-update writes them anew)", len(a), len(b))
	}
}

func TestALongRunLosesItsOldestLinesFirstAndThoseOfAFailureLast(t *testing.T) {
	whole, err := Render(long(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 500_000
	got, err := Render(long(), limit)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) <= limit || len(got) > limit || len(got) < limit*9/10 {
		t.Fatalf("%d bytes of %d for a limit of %d", len(got), len(whole), limit)
	}
	page := string(got)
	for text, there := range map[string]bool{
		"This page would have been too large: ": true, " earlier lines left out": true,
		"step 1 says &lt;0&gt;": true, "step 2 says &lt;9999&gt;": false, "step 3 says &lt;0&gt;": false, "step 3 says &lt;9999&gt;": true,
	} {
		if strings.Contains(page, text) != there {
			t.Errorf("%q is in the page: %v", text, !there)
		}
	}
	if strings.Contains(string(whole), "left out") {
		t.Error("a page with room for all says that something is left out")
	}
}

func TestTimesAreShownAsFarAsTheyMatter(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 1500 * time.Microsecond: "1.5 ms", 74 * time.Millisecond: "74 ms", 1204 * time.Millisecond: "1.20 s",
		12340 * time.Millisecond: "12.3 s", 59970 * time.Millisecond: "1:00 min", 754 * time.Second: "12:34 min", 3*time.Hour + 62*time.Second: "3:01:02 h",
	} {
		if got := took(d); got != want {
			t.Errorf("%s is shown as %s, want %s", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0", 40 * time.Millisecond: "0 10 ms 20 ms 30 ms 40 ms", 47 * time.Second: "0 10 s 20 s 30 s 40 s",
		200 * time.Second: "0 30 s 1 min 1:30 min 2 min 2:30 min 3 min", 100 * time.Hour: "0 24 h 48 h 72 h 96 h",
	} {
		var got []string
		for _, tick := range axis(d).Ticks {
			got = append(got, tick.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("the axis of %s has %s, want %s", d, strings.Join(got, " "), want)
		}
	}
}

func TestARunOfNothingIsAPageToo(t *testing.T) {
	got, err := Render(recording.Recording{Title: "deploy:env dev", Began: at(0), Ended: at(0), State: recording.Failed, Verdict: "the manifest cannot be deployed"}, Limit)
	if err != nil || !strings.Contains(string(got), "the manifest cannot be deployed") || strings.Contains(string(got), "ZgotmplZ") {
		t.Errorf("%v\n%s", err, got)
	}
}
