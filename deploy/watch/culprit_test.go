package watch

import (
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
)

// Which task a failure is explained by, and what is said of what runs.
func TestTheCulprit(t *testing.T) {
	for _, c := range []struct {
		name string
		w    *world
		sick string
		want string
	}{
		{"the newest that failed", newWorld(Updated, task(1, crashed), task(2, rejected), task(1, starting)), "", "task1"},
		{"one that failed before a sick one", newWorld(Updated, task(1, crashed), task(2, complete)), "task1", "task0"},
		{"a sick one, though it ended well", newWorld(Updated, task(1, complete), task(2, complete)), "task0", "task0"},
		{"one that Swarm's rollback has stopped", newWorld(Updated, task(1, shutdown, image("web:3")), task(1, up)), "", "task0"},
		{"none from before the write", newWorld(Updated, task(1, crashed), task(2, up)).with(before("task0")), "", ""},
		{"none that runs", newWorld(Created, task(1, up), task(2, starting)), "", ""},
	} {
		e := newEvidence(nil, nil)
		for _, x := range c.w.v.tasks {
			e.note(x)
		}
		e.note(swarm.Task{ID: "another's", ServiceID: "other", Status: swarm.TaskStatus{State: crashed}, Meta: swarm.Meta{CreatedAt: epoch.Add(long)}})
		if c.sick != "" {
			e.health[c.sick] = []string{"exit code 1"}
		}
		got := ""
		if x := e.culprit(c.w.g, c.w.v.service); x != nil {
			got = x.ID
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNow(t *testing.T) {
	for _, c := range []struct {
		w    *world
		want string
	}{
		{newWorld(Updated, task(1, up, image("web:1@sha256:1")), task(2, up, image("web:1@sha256:1")), task(3, up), task(4, starting)), "1 × web:2, 2 × web:1"},
		{newWorld(Updated, task(1, crashed)), "nothing: no task of it runs"},
		{newWorld(Updated).with(func(w *world) { w.v.service = nil }), "nothing: the service is gone"},
	} {
		if got := now(c.w.v); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What a container writes has no power over the terminal that shows it.
func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext ü": "plain\ttext ü", "\x1b[31mred\x07": "·[31mred·", "a\nb": "a·b", "bad \xff utf-8": "bad · utf-8", "turn\u202earound": "turn·around", strings.Repeat("x", 50): strings.Repeat("x", 19) + "…",
	} {
		if got := harmless(in, 20); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTheTaskInSwarmsMessage(t *testing.T) {
	for message, want := range map[string]string{
		"update paused due to failure or early termination of task x8dhab12cd34ef56gh78ij90k":      "x8dhab12cd34ef56gh78ij90k",
		"update rolled back due to failure or early termination of task x8dhab12cd34ef56gh78ij90k": "x8dhab12cd34ef56gh78ij90k",
		"rollback completed": "", "task x8dh": "",
	} {
		got := ""
		if m := taskID.FindStringSubmatch(message); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}

func TestMonitor(t *testing.T) {
	for _, c := range []struct {
		u    *swarm.UpdateConfig
		want time.Duration
	}{{nil, 5 * time.Second}, {&swarm.UpdateConfig{}, 5 * time.Second}, {&swarm.UpdateConfig{Monitor: time.Minute}, time.Minute}} {
		if got := monitor(swarm.ServiceSpec{UpdateConfig: c.u}); got != c.want {
			t.Errorf("%+v: %s, want %s", c.u, got, c.want)
		}
	}
}
