package timeline

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"slipway/test/chromium"
)

// TestInABrowser looks at the page as a person does who was handed the file alone. Screenshots
// go to $SLIPWAY_SCREENSHOTS, where that is set.
func TestInABrowser(t *testing.T) {
	page, err := Render(pipeline(), Limit)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	b := chromium.Start(t)
	for _, window := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"wide-light", 1440, 900, false}, {"wide-dark", 1440, 900, true}, {"narrow-light", 390, 844, false}} {
		t.Run(window.name, func(t *testing.T) {
			b.Scripts(false)
			b.Look(window.width, window.height, window.dark)
			b.Open(address)
			shoot(t, b, window.name)
			if got := b.Requests(); !slices.Equal(withoutData(got), []string{address}) {
				t.Errorf("the page asks for %v", got)
			}
			if got := b.Console(); len(got) > 0 {
				t.Errorf("the browser complains: %v", got)
			}
			for script, complaint := range map[string]string{
				`document.documentElement.scrollWidth <= innerWidth`:                                    "the page is wider than the window",
				`bars().length === 21 && bars().every(b => b.left >= 0 && b.right <= innerWidth + 0.5)`: "bars are missing, or outside of the window",
				`bars().every(b => b.width >= 3 && b.height >= 5)`:                                      "bars are too small to be seen",
				`tops().every((top, i) => i === 0 || top > tops()[i-1])`:                                "rows are not below one another",
				`starts("g3").every((x, i) => i === 0 || x >= starts("g3")[i-1] - 1)`:                   "steps are not in the order in which they began",
				`!window.pwned && document.querySelectorAll("script").length === 0`:                     "there are scripts",
				`contrast() >= 4.5`:                                "the text is hard to read on its paper",
				`document.querySelector("#s13 details").open`:      "the failed step's log is folded",
				`!document.querySelector("#s6 details").open`:      "the log of a step that went well is unfolded",
				`document.querySelector("#s6 pre") !== null`:       "a log is missing",
				`document.querySelector("details.engine") != null`: "the engine's own work is missing",
			} {
				if !chromium.Evaluate[bool](b, helpers+"("+script+")") {
					t.Errorf("%s: %s", complaint, script)
				}
			}
		})
	}
	t.Run("a log unfolds", func(t *testing.T) {
		b.Look(1440, 900, false)
		b.Open(address)
		const shown = `document.querySelector("#s6 pre").checkVisibility()`
		if chromium.Evaluate[bool](b, shown) {
			t.Fatal("it is unfolded before anybody clicked")
		}
		b.Do(chromedp.Click(chromedp.CSS("#s6 summary")))
		if !chromium.Evaluate[bool](b, shown) {
			t.Error("it is folded after a click")
		}
		text := chromium.Get(b, chromedp.Text(chromedp.CSS("#s6 pre")))
		if !strings.Contains(text, "ping/answer") {
			t.Errorf("the log is %q", text)
		}
		shoot(t, b, "unfolded")
		b.Do(chromedp.Click(chromedp.CSS(".failures a")))
		if got := chromium.Evaluate[string](b, `location.hash + " " + (document.querySelector("#s13").getBoundingClientRect().top < innerHeight)`); got != "#s13 true" {
			t.Errorf("the link to what failed led to %s", got)
		}
	})
}

// helpers are functions for the test's scripts. Rows of one group begin at starts.
const helpers = `
var all = (q, of) => [...(of || document).querySelectorAll(q)].filter(e => e.checkVisibility());
var bars = () => { document.querySelectorAll("details.engine").forEach(d => d.open = true); return all(".bar").map(e => e.getBoundingClientRect()); };
var tops = () => all(".row").map(e => e.getBoundingClientRect().top);
var starts = id => all(".bar", document.getElementById(id).closest("section")).map(e => e.getBoundingClientRect().left);
var light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
var contrast = () => Math.min(...all(".name, .state, .took, .verdict, dd, dt, pre, .word").map(e => {
  const ink = light(getComputedStyle(e).color), card = light(getComputedStyle(e.closest("pre, section, header")).backgroundColor);
  return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05); }));
`

func withoutData(urls []string) []string {
	return slices.DeleteFunc(urls, func(u string) bool { return strings.HasPrefix(u, "data:") })
}

func shoot(t *testing.T, b *chromium.Browser, name string) {
	t.Helper()
	dir := os.Getenv("SLIPWAY_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Screenshot(), 0o644); err != nil {
		t.Fatal(err)
	}
}
