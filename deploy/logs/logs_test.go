package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
)

const details = "com.docker.swarm.node.id=node1,com.docker.swarm.service.id=service1,com.docker.swarm.task.id=task1,label=a%2Cb+c"

func TestParse(t *testing.T) {
	for _, c := range []struct{ raw, task, node, text string }{
		{"2024-07-25T12:00:00.123456789Z " + details + " hello  there\n", "task1", "node1", "hello  there"},
		{"2024-07-25T12:00:00.123456789Z " + details + " \n", "task1", "node1", ""},
		{"no time at all\n", "", "", "no time at all"},
		{"2024-07-25T12:00:00Z no=details here\n", "", "", "2024-07-25T12:00:00Z no=details here"},
		{"2024-07-25T12:00:00Z\n", "", "", "2024-07-25T12:00:00Z"},
		{"\n", "", "", ""},
	} {
		m := parse([]byte(c.raw))
		if m.task != c.task || m.node != c.node || string(m.text) != c.text || !m.whole {
			t.Errorf("%q: %+v %q", c.raw, m, m.text)
		}
	}
}

// Parts of long lines come one by one, and between those of other tasks.
func TestPartsAreJoinedForEachTask(t *testing.T) {
	var got []string
	j := &joiner{map[string]message{}, func(m message) { got = append(got, m.task+" "+string(m.text)) }}
	for _, part := range []string{"task1 one, ", "task2 another", "task1 two\n", "task2 \n", "task1 broken off"} {
		task, text, _ := strings.Cut(part, " ")
		_, _ = fmt.Fprintf(j, "2024-07-25T12:00:00Z com.docker.swarm.task.id=%s %s", task, text)
	}
	j.rest()
	if s := strings.Join(got, "|"); s != "task1 one, two|task2 another|task1 broken off" {
		t.Error(s)
	}
}

func TestOrderWithinTheWindow(t *testing.T) {
	var got []int
	o := &order{emit: func(l Line) { got = append(got, int(l.Time.Unix())) }}
	for i := range 3 * window {
		o.add(Line{Time: time.Unix(int64(i^1), 0)}) // pairs the wrong way round
	}
	o.end()
	if len(got) != 3*window {
		t.Fatalf("%d lines", len(got))
	}
	for i, at := range got {
		if i != at {
			t.Fatalf("line %d is of second %d", i, at)
		}
	}
}

func TestClean(t *testing.T) {
	if got := clean([]byte("a\x1b[31mb\x1b]0;x\x07c\u202ed\te\rf\xff")); strings.ContainsAny(got, "\x1b\x07\u202e\r") {
		t.Errorf("%q", got)
	}
}

func TestChoose(t *testing.T) {
	state := &live.State{}
	for _, name := range []string{"shop_dev_web", "shop_dev_backend", "shop_prod_other"} {
		stack := name[:strings.LastIndex(name, "_")]
		state.Services = append(state.Services, swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name, Labels: map[string]string{convert.LabelNamespace: stack}}}})
	}
	for _, c := range []struct{ name, want string }{
		{"web", "shop_dev_web"},
		{"shop_dev_web", "shop_dev_web"},
		{"all", "shop_dev_web shop_dev_backend"},
		{"backend2", `shop_dev has no service "backend2": did you mean backend?`},
		{"other", `shop_dev has no service "other": there are web, backend (or all, for all of them)`},
	} {
		got, err := Choose(state, "shop_dev", c.name)
		var names []string
		for _, s := range got {
			names = append(names, s.Spec.Name)
		}
		if err != nil {
			names = []string{err.Error()}
		}
		if s := strings.Join(names, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}
