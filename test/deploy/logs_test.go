package deploy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// talks is a command that writes lines to both streams, some with power over a terminal, and
// then runs on.
const talks = `command: ["/bin/sh", "-c", "trap 'exit 0' TERM; echo problem >&2; sleep 0.5; for i in 1 2 3; do echo line $$i; done; printf '\\033[2J\\033[31mred\\033[0m \\033]0;title\\007\\302\\233end\\n'; while :; do sleep 0.2; done"]`

func TestLogs(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good", talks), service("other", "good", "tty: true")))
	b.slipway(t, "deploy:logs", "dev", "web").Exits(t, 2).Says(t, "repo_dev has no services: it is not deployed")
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)

	all := b.slipway(t, "deploy:logs", "dev", "web").Exits(t, 0)
	lines := strings.Split(strings.TrimSpace(all.Stdout), "\n")
	prefixed := regexp.MustCompile(`^web\.1\.[a-z0-9]{12}@\S+ \| (.*)$`)
	var texts []string
	for _, l := range lines {
		m := prefixed.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("%q has no task and node in front; all of it:\n%s", l, all.Stdout)
		}
		texts = append(texts, m[1])
	}
	got := strings.Join(texts, "\n")
	for _, want := range []string{"line 1\nline 2\nline 3", "problem", "red end"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	if strings.ContainsAny(all.Stdout, "\x1b\x07\u009b") {
		t.Errorf("what rules terminals has come through: %q", all.Stdout)
	}

	tail := b.slipway(t, "deploy:logs", "dev", "repo_dev_web", "-tail=1", "-timestamps=true").Exits(t, 0).Stdout
	if !regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z web\.1\.\S+ \| red end\n$`).MatchString(tail) {
		t.Errorf("-tail=1 -timestamps=true: %q", tail)
	}
	if r := b.slipway(t, "deploy:logs", "dev", "web", "-since=2020-01-01T00:00:00Z").Exits(t, 0); r.Stdout != all.Stdout {
		t.Errorf("-since: %q, want all: %q", r.Stdout, all.Stdout)
	}
	both := b.slipway(t, "deploy:logs", "dev", "all").Exits(t, 0)
	both.Says(t, "web.1.", "other.1.", "| line 3", "@", "| app in mode good\n")

	b.slipway(t, "deploy:logs", "dev", "wbe").Exits(t, 2).Says(t, `repo_dev has no service "wbe": did you mean web?`)
	b.slipway(t, "deploy:logs", "dev", "database").Exits(t, 2).Says(t, `repo_dev has no service "database": there are other, web (or all, for all of them)`)
	b.slipway(t, "deploy:logs", "dev", "-follow=true").Exits(t, 2).Says(t, `"-follow=true" stands where a service's name belongs`)
	b.slipway(t, "deploy:logs", "dev", "web", "-tail=many").Exits(t, 2).Says(t, "-tail=many: write how many lines of each task, or all")
	b.slipway(t, "deploy:logs", "dev", "web", "-since=yesterday").Exits(t, 2).Says(t, "-since=yesterday is no time")
}

// Following shows what comes to be, of new tasks too, and ends with Ctrl-C as what was wanted.
func TestLogsAreFollowedUntilCtrlC(t *testing.T) {
	b := newBed(t)
	b.manifest(t, "dev", stack(service("web", "good")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	follow := b.start(t, nil, "deploy:logs", "dev", "web", "-follow=true")
	eventually(t, "the first lines", func() bool { return strings.Contains(follow.Stdout.String(), "| app in mode good") })
	first := strings.Count(follow.Stdout.String(), "app in mode good")
	b.manifest(t, "dev", stack(service("web", "good2")))
	b.slipway(t, "deploy:env", "dev").Exits(t, 0)
	eventually(t, "lines of the new task", func() bool { return strings.Count(follow.Stdout.String(), "app in mode good") > first })
	if follow.Ended() {
		t.Fatal("it has ended by itself")
	}
	must(t, follow.Cmd.Process.Signal(os.Interrupt))
	r := follow.wait(t).Exits(t, 0)
	if strings.Contains(r.Stderr, "slipway:") {
		t.Errorf("Ctrl-C is told as a failure:\n%s", r.Stderr)
	}
	names := map[string]bool{}
	for line := range strings.Lines(r.Stdout) {
		name, _, _ := strings.Cut(line, " ")
		names[name] = strings.HasPrefix(name, "web.1.") && strings.Contains(name, "@")
	}
	for name, good := range names {
		if !good {
			t.Errorf("the task is called %q", name)
		}
	}
	if len(names) != 2 {
		t.Errorf("lines of %v, want two tasks", names)
	}
}
