package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"slipway/test/otlp"
)

var storyRow = regexp.MustCompile(`(?s)<li id="s\d+" class="row (\w+)[^"]*">.*?title="([^"]*)"`)

func TestADeployIsTold(t *testing.T) {
	b := newBed(t)
	c := otlp.Start(t)
	b.env = append(b.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
	b.manifest(t, "dev", stack(service("web", "good"), service("other", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	b.story(t, map[string]string{"connecting to " + b.host(): "done", "looking up digests": "done", "creating web": "done", "waiting for web": "done", "waiting for other": "done"},
		"repo_dev release 1: done", `<header class="done">`)

	b.manifest(t, "dev", stack(service("web", "sick"), service("other", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 3)
	b.story(t, map[string]string{"updating web": "done", "waiting for web": "failed", "taking back other": "done"},
		"repo_dev release 2: rolled back: ", `<header class="failed">`, "its health check fails", "checked sick", "taken back", "<td>rolled back", "go tool mage deploy:env dev")
	names, failed := map[string]string{}, map[string]bool{}
	for _, s := range c.Spans() {
		names[s.ID] = s.Name
		failed[s.Name] = s.Failed
	}
	for _, s := range c.Spans() {
		if s.Name == "waiting for web" && names[s.Parent] != "deploy dev" || s.Name == "deploy dev" && names[s.Parent] != "deploy:env" {
			t.Errorf("span %q is in %q", s.Name, names[s.Parent])
		}
	}
	if !failed["deploy:env"] || !failed["deploy dev"] || !failed["waiting for web"] || failed["updating web"] {
		t.Errorf("failed spans: %v", failed)
	}

	slow := strings.Replace(service("web", "good2"), "interval: 300ms", "interval: 90s", 1) // it is starting until then
	b.manifest(t, "dev", stack(slow, service("other", "good")))
	p := b.start(t, nil, "deploy:env", "dev")
	eventually(t, "it waits for web", func() bool {
		return p.Ended() || strings.Contains(p.Stderr.String(), "1 starting")
	})
	must(t, p.Cmd.Process.Signal(syscall.SIGTERM))
	p.wait(t).Exits(t, 1)
	b.story(t, map[string]string{"updating web": "done", "waiting for web": "interrupted"},
		"repo_dev release 3: interrupted: stopped by terminated", `<header class="interrupted">`)
}

// host is how the environment names its server.
func (b *bed) host() string { return "deploy@" + b.server.Address() }

// story wants rows of build/report.html that ended so, and texts.
func (b *bed) story(t *testing.T, rows map[string]string, texts ...string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(b.repo.Dir, "build", "report.html"))
	must(t, err)
	got := map[string]string{}
	for _, m := range storyRow.FindAllSubmatch(page, -1) {
		got[string(m[2])] = string(m[1])
	}
	for name, state := range rows {
		if got[name] != state {
			t.Errorf("%s is %q, want %q, of %v", name, got[name], state, got)
		}
	}
	for _, text := range texts {
		if !strings.Contains(string(page), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}
