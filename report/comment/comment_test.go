package comment

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"slipway/report/foreign"
	"slipway/secret"
)

var update = flag.Bool("update", false, "write the golden files anew")

var about = About{
	Commit: "4605cc6e0f9d2f4b8a57a6d1e2c3b4a5968778f0", Link: "https://gitlab.example.com/acme/shop/-/jobs/77",
	Reproduce: "mage ci:repro 4605cc6e -labels=build-ping,tests",
}

func ptr(n int) *int { return &n }

var built = []Image{
	{Service: "backend", Tag: "20240725_4605cc6e", Digest: "sha256:9c4964ab12345678901234567890123456789012345678901234567890123456", Built: true},
	{Service: "ping", Tag: "20240601_0a1b2c3d", Digest: "sha256:00aa11bb22cc33dd44ee55ff66778899aabbccddeeff00112233445566778899"},
}

var failedDeploy = Deploy{
	About: about, Env: "prod", Stack: "shop_prod", Release: 12,
	Plan: &Plan{Create: 1, Update: 2, Unchanged: 5, Changes: []Change{
		{Action: "create", Kind: "config", Name: "shop_prod_nginx-1f2e"},
		{Action: "update", Kind: "service", Name: "shop_prod_backend", Fields: []string{"image: registry/backend:20240601_0a1b2c3d → registry/backend:20240725_4605cc6e", "+ env.MODE: fast"}},
		{Action: "keep", Kind: "network", Name: "shop_prod_old", Note: "another stack uses it"},
	}},
	Verdict: &Verdict{
		Result: "rolled back", Cause: "backend: rolled back: the new task ended", Next: "mend it, then deploy again", Took: 83*time.Second + 400*time.Millisecond,
		Services: []Service{
			{Name: "backend", Tag: "20240725_4605cc6e", State: "rolled back", Running: 2, Wanted: 2, Reason: &Reason{
				Message: "the new task ended by itself", Task: "shop_prod_backend.1", Node: "node-1", ExitCode: ptr(137), Error: "task: non-zero exit (137)",
				Health: []string{"curl: (7) Failed to connect"}, Log: []string{"starting", "panic: no such table `orders`", "/app/main.go:12"}, Now: "backend:20240601_0a1b2c3d, 2 of 2 tasks",
			}},
			{Name: "ping", Tag: "20240601_0a1b2c3d", State: "done", OK: true, Running: 3, Wanted: 3},
		},
	},
	Warnings: []string{"the Swarm will pull with a token that ends with the job"},
}

var pages = map[string]interface{ Markdown(Options) string }{
	"images":  Images{About: about, Images: built},
	"checked": Images{About: About{Commit: about.Commit}, Checked: []string{"backend", "ping"}},
	"failed": Images{About: about, Images: built[1:], Failures: []Failure{
		{Service: "backend", Step: "test", Reason: "2 of 14 tests failed", Tests: []string{"TestOrders", "TestOrders/empty_cart"}, Log: []string{"--- FAIL: TestOrders (0.01s)", "    orders_test.go:33: got 1, want 2", "FAIL"}},
		{Service: "backend", Step: "lint", Findings: []string{"services/backend/main.go:12: Error return value is not checked (errcheck)"}},
	}},
	"plan":        Deploy{About: about, Env: "dev", Plan: &Plan{Unchanged: 8}},
	"done":        Deploy{About: about, Env: "dev", Stack: "shop_dev", Release: 3, Verdict: &Verdict{Result: "done", OK: true, Took: 12 * time.Second, Services: []Service{{Name: "ping", Tag: "20240601_0a1b2c3d", State: "done", Running: 1, Wanted: 1}}}},
	"rolled-back": failedDeploy,
	"hostile": Images{
		About:  About{Commit: "`x`", Link: "javascript:alert(1)", Reproduce: "mage ci:repro `id`\n/close"},
		Images: []Image{{Service: "a|b`c", Tag: "@all", Digest: "<!-- slipway:images -->"}},
		Failures: []Failure{{
			Service: "x\n/approve", Step: "<script>", Reason: "by @alice, see #12 and !3 </details> ![i](http://x/y.png) token hunter2-hunter2",
			Tests: []string{"Test``/@bob"}, Log: []string{"/close", "```", "</details>", "````", "@all hunter2-", "hunter2", "\x1b[31mred\x1b[0m", "hunter2-hunter2"},
		}},
		Warnings: []string{"| x |\n/merge"},
	},
}

func options() Options {
	return Options{Mask: foreign.NewMask(secret.New("hunter2-hunter2"), secret.New("hunter2-\nhunter2"))}
}

func TestGolden(t *testing.T) {
	for name, p := range pages {
		t.Run(name, func(t *testing.T) {
			got := p.Markdown(options())
			path := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", path, d)
			}
		})
	}
}

// TestNothingBreaksOut looks at the hostile page as GitLab and GitHub do: outside of code there
// is no command, no mention, no HTML but this package's own.
func TestNothingBreaksOut(t *testing.T) {
	text := pages["hostile"].Markdown(options())
	if strings.Contains(text, "hunter2") || strings.Contains(text, "\x1b") {
		t.Errorf("a secret or an escape is shown:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "/") {
			t.Errorf("a line would be a command of GitLab: %q", line)
		}
	}
	out := withoutCode(text)
	for _, bad := range []string{"@alice", "@bob", "@all", "#12", "!3", "<script", "javascript:", "![i]", "hidden"} {
		if strings.Contains(out, bad) {
			t.Errorf("%q is there outside of code:\n%s", bad, out)
		}
	}
	if strings.Count(out, "<details>") != 1 || strings.Count(out, "</details>") != 1 {
		t.Errorf("folds do not match:\n%s", out)
	}
}

var ticksRun = regexp.MustCompile("`+")

// withoutSpans drops code spans: a run of backticks, and all up to the next run as long.
func withoutSpans(line string) string {
	for from := 0; ; {
		open := ticksRun.FindStringIndex(line[from:])
		if open == nil {
			return line
		}
		start, end := from+open[0], from+open[1]
		from = end
		for _, c := range ticksRun.FindAllStringIndex(line[end:], -1) {
			if c[1]-c[0] == end-start {
				line = line[:start] + "CODE" + line[end+c[1]:]
				from = start + len("CODE")
				break
			}
		}
	}
}

// withoutCode drops fenced blocks, as CommonMark reads them, and code spans.
func withoutCode(text string) string {
	var out strings.Builder
	fence := ""
	for line := range strings.Lines(text) {
		bare := strings.TrimRight(line, "\n")
		ticks := bare[:len(bare)-len(strings.TrimLeft(bare, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && bare == ticks && len(ticks) >= len(fence):
			fence = ""
		case fence == "":
			out.WriteString(withoutSpans(line))
		}
	}
	if fence != "" {
		out.WriteString("UNCLOSED " + fence)
	}
	return out.String()
}

func TestBounded(t *testing.T) {
	huge := Images{About: about}
	long := strings.Repeat("`|<&@я ", 120)
	for i := range 1100 {
		huge.Images = append(huge.Images, Image{Service: fmt.Sprintf("service-%d%s", i, long), Tag: long, Digest: long})
		huge.Warnings = append(huge.Warnings, long)
	}
	for range 40 {
		f := Failure{Service: long, Step: long, Reason: long}
		for range 200 {
			f.Log = append(f.Log, "a line of a log")
		}
		f.Tests, f.Findings = f.Log, f.Log
		huge.Failures = append(huge.Failures, f)
	}
	big := failedDeploy
	big.Verdict = &Verdict{Result: long, Cause: long, Next: long}
	big.Plan = &Plan{}
	for range 300 {
		s := failedDeploy.Verdict.Services[0]
		s.Name = long
		big.Verdict.Services = append(big.Verdict.Services, s)
		big.Plan.Changes = append(big.Plan.Changes, Change{Action: "update", Kind: "service", Name: long, Fields: []string{long}})
	}
	for name, page := range map[string]interface{ Markdown(Options) string }{"images": huge, "deploy": big} {
		for _, limit := range []int{GitLabMax, GitHubMax, 8000, 600} {
			text := page.Markdown(Options{Max: limit})
			if n := len(Marked("images", 1<<62, text)); n > limit {
				t.Errorf("%s: %d bytes, want at most %d", name, n, limit)
			}
			if !utf8.ValidString(text) {
				t.Errorf("%s within %d is no UTF-8", name, limit)
			}
			if limit < 5000 {
				if !strings.Contains(text, "did not fit here") {
					t.Errorf("%s within %d does not say that it is cut", name, limit)
				}
				continue
			}
			if !strings.Contains(text, "more lines are in [the job](<"+about.Link+">)") || !strings.Contains(text, about.Reproduce) {
				t.Errorf("%s within %d lacks what was cut, or the command:\n%s", name, limit, text[max(0, len(text)-600):])
			}
			if strings.Contains(withoutCode(text), "UNCLOSED") {
				t.Errorf("%s within %d ends in a code block", name, limit)
			}
		}
	}
}

// TestLogKeepsItsEnd: what a step said last matters most, what a plan says first.
func TestLogKeepsItsEnd(t *testing.T) {
	var log []string
	for i := range 10000 {
		log = append(log, fmt.Sprintf("line %d", i))
	}
	text := Images{Failures: []Failure{{Service: "ping", Log: log}}}.Markdown(Options{})
	if !strings.Contains(text, "\nline 9999\n") || strings.Contains(text, "\nline 0\n") || !strings.Contains(text, "more lines are in the job's log") {
		t.Errorf("the log's end is not what was kept:\n%s", text[:500])
	}
}

func TestMarker(t *testing.T) {
	for _, key := range []string{"images", "deploy-dev", "deploy-a b --> <b>"} {
		body := Marked(key, 77, "text\n")
		if !IsMarked(body, key) || !IsMarked(strings.ReplaceAll(body, "\n", "\r\n"), key) || IsMarked("> "+body, key) || IsMarked(body, key+"2") || IsMarked("x\n"+body, key) {
			t.Errorf("%q is not told apart by its marker: %q", key, body)
		}
		if Run(body) != 77 || Run(strings.ReplaceAll(body, "\n", "\r\n")) != 77 || Run(Marked(key, 0, "<!-- run:5 -->")) != 0 {
			t.Errorf("the run of %q is %d", body, Run(body))
		}
		if strings.Count(Marker(key), ">") != 1 {
			t.Errorf("the marker %q ends early", Marker(key))
		}
	}
	if k := (Deploy{Env: "dev"}).Key(); k != "deploy-dev" || (Images{}).Key() != "images" {
		t.Errorf("the key is %q", k)
	}
}
