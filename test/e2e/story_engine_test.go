package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"slipway/test/gitrepo"
	"slipway/test/otlp"
)

// withoutStory leaves the page that tells of a run out of a tree: it is written anew each time.
func withoutStory(tree string) string {
	return regexp.MustCompile(`(?m)^.*/report\.html\n`).ReplaceAllString(tree, "")
}

// story is what is read in build/report.html: the verdict, and how each row ended, by its name.
type story struct {
	page    string
	verdict string
	rows    map[string]string
}

var (
	storyRow     = regexp.MustCompile(`(?s)<li id="s\d+" class="row (\w+)[^"]*">.*?title="([^"]*)"`)
	storyVerdict = regexp.MustCompile(`(?s)<p class="verdict">.*?</span>.*?</span>(.*?)</p>`)
)

func readStory(t testing.TB, r *gitrepo.Repo) story {
	t.Helper()
	s := story{page: read(t, file(r, "build/report.html")), rows: map[string]string{}}
	for _, m := range storyRow.FindAllStringSubmatch(s.page, -1) {
		s.rows[m[2]] = m[1]
	}
	if m := storyVerdict.FindStringSubmatch(s.page); m != nil {
		s.verdict = m[1]
	}
	return s
}

// ended wants rows that ended so.
func (s story) ended(t testing.TB, verdict string, rows map[string]string) {
	t.Helper()
	if s.verdict != verdict {
		t.Errorf("the verdict is %q, want %q", s.verdict, verdict)
	}
	for name, state := range rows {
		if s.rows[name] != state {
			t.Errorf("%s is %q, want %q, of %v", name, s.rows[name], state, s.rows)
		}
	}
}

func TestARunIsTold(t *testing.T) {
	env := alpine(t)
	c := otlp.Start(t)
	r := packed(t, map[string]string{"Dockerfile": "FROM alpine:3.20\nCOPY app.txt /\nRUN echo \"said <by> $((40 + 2))\"\n", "app.txt": "app\n"})
	call := in(r.Dir, env...).with("OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	const run = `[3/3] RUN echo &#34;said &lt;by&gt; $((40 &#43; 2))&#34;`

	first := call.slipway(t, "build:service", "box").Exits(t, 0)
	s := readStory(t, r)
	s.ended(t, "done", map[string]string{"planning": "done", "image box": "done", run: "done"})
	for _, want := range []string{"said &lt;by&gt; 42", r.Head(), strings.Fields(first.Stdout)[1], "sha256:"} {
		if !strings.Contains(s.page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	names, byName := map[string]string{"b7ad6b7169203331": "CI"}, map[string]otlp.Span{}
	for _, span := range c.Spans() {
		names[span.ID], byName[span.Name] = span.Name, span
	}
	for child, parent := range map[string]string{"build:service": "CI", "slipway": "build:service", "planning": "slipway", "box": "build:service", "image box": "box", "[2/3] COPY app.txt /": "image box"} {
		if span := byName[child]; names[span.Parent] != parent || span.Failed {
			t.Errorf("span %q is in %q, want %q; failed: %v", child, names[span.Parent], parent, span.Failed)
		}
	}
	if got := byName["image box"].Attributes["slipway.cached"]; got != "false" {
		t.Errorf("the first image is cached: %s", got)
	}

	call.slipway(t, "build:service", "box").Exits(t, 0)
	readStory(t, r).ended(t, "done", map[string]string{run: "cached"})
	if all := c.Spans(); all[len(all)-1].Name != "build:service" || len(c.Requests()) != 2 {
		t.Errorf("%d requests, the last span %q", len(c.Requests()), all[len(all)-1].Name)
	}

	r.Write("services/box/Dockerfile", "FROM alpine:3.20\nRUN echo gone wrong; exit 7\n")
	r.Commit("Break it", later(1))
	call.slipway(t, "build:service", "box").Exits(t, 1)
	s = readStory(t, r)
	s.ended(t, "failed: box", map[string]string{"image box": "failed"})
	for _, want := range []string{"gone wrong", "Repeat only this: go tool mage build:service box", "To repeat this: <code>go tool mage build:service box</code>", `<a href="#s`} {
		if !strings.Contains(s.page, want) {
			t.Errorf("the page of the failure lacks %q", want)
		}
	}
	all := c.Spans()
	if last := all[len(all)-1]; !last.Failed || last.Message != "failed: box" || last.Attributes["process.exit.code"] != "1" {
		t.Errorf("the failed run's span is %+v", last)
	}
}

func TestAStoppedRunIsToldAndACollectorThatIsNotThereIsAWarning(t *testing.T) {
	env := alpine(t)
	g := newGate(t)
	r := packed(t, map[string]string{"Dockerfile": g.dockerfile(), "app.txt": "app\n"})
	p := in(r.Dir, env...).with("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1").start(t, "build:service", "box")
	g.wait(t, p)
	p.signal(t, syscall.SIGTERM)
	res := p.wait(t).Exits(t, 1)
	if n := strings.Count(res.Stderr, "slipway: warning: the trace could not be sent to http://127.0.0.1:1 "); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, res.Stderr)
	}
	s := readStory(t, r)
	s.ended(t, "interrupted: stopped by terminated", map[string]string{
		"image box": "interrupted", fmt.Sprintf("[3/3] RUN wget -qO /answer %s/", g.url): "interrupted",
	})
	if !strings.Contains(s.page, `<header class="interrupted">`) {
		t.Error("the page does not say that the run was interrupted")
	}
}

func TestStepsThatWereCachedAreToldSo(t *testing.T) {
	r := sample(t, "alpha")
	in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, 0)
	readStory(t, r).ended(t, "done", nil)
	in(r.Dir).slipway(t, "build:test", "alpha").Exits(t, 0)
	s := readStory(t, r)
	s.ended(t, "done", map[string]string{"build alpha": "cached", "test alpha": "cached"})
	if rec := readRecord(t, r).states(t, "alpha"); rec["test alpha"] != "cached" {
		t.Errorf("build/run.json has %v", rec)
	}
}
