package watch

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/stream"
)

// evidence gathers what tells why a task failed, while it is there: Swarm keeps only a few old
// tasks, and their containers for less time still.
type evidence struct {
	docker *client.Client
	node   func(context.Context, swarm.Node) (*client.Client, error) // nil: only docker's own is reached
	nodes  []swarm.Node

	mu     sync.Mutex
	tasks  map[string]swarm.Task // the last that was seen of each
	health map[string][]string   // by task
	known  map[string]*Reason    // by service
}

func newEvidence(docker *client.Client, node func(context.Context, swarm.Node) (*client.Client, error)) *evidence {
	return &evidence{docker: docker, node: node, tasks: map[string]swarm.Task{}, health: map[string][]string{}, known: map[string]*Reason{}}
}

// note remembers a task.
func (e *evidence) note(t swarm.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks[t.ID] = t
}

// taskID finds a task in Swarm's message about an update: "update paused due to failure or
// early termination of task x8dh…".
var taskID = regexp.MustCompile(`\btask ([a-z0-9]{25})\b`)

// reason explains a service's failure, and remembers the explanation: what it was made from
// may be gone at the next look.
func (e *evidence) reason(ctx context.Context, g Goal, v view, message string) *Reason {
	e.mu.Lock()
	known := e.known[g.ID]
	e.mu.Unlock()
	if known != nil {
		r := *known
		r.Now = now(v)
		return &r
	}
	r := &Reason{Message: harmless(message, 500), Now: now(v)}
	var t *swarm.Task
	if m := taskID.FindStringSubmatch(message); m != nil {
		t = e.task(ctx, m[1])
	}
	if t == nil {
		t = e.culprit(g, v.service)
	}
	sick := t != nil && e.explain(ctx, r, *t)
	if strings.HasPrefix(r.Message, "rollback ") { // Swarm has forgotten why
		r.Message = "Swarm took the update back by itself"
	}
	if sick {
		r.Message += ", since its health check fails"
	}
	e.mu.Lock()
	e.known[g.ID] = r
	e.mu.Unlock()
	return r
}

// pending explains why a service is not there yet, by its newest task.
func (e *evidence) pending(ctx context.Context, g Goal, message string) *Reason {
	r := &Reason{Message: message}
	if t := e.culprit(g, &swarm.Service{Spec: g.Spec}); t != nil {
		e.explain(ctx, r, *t)
		return r
	}
	var newest *swarm.Task
	for _, t := range e.of(g) {
		if newest == nil || t.CreatedAt.After(newest.CreatedAt) {
			newest = &t
		}
	}
	if newest == nil {
		r.Message += "; Swarm has made no task for it"
		return r
	}
	r.Task, r.TaskError = newest.ID, harmless(cmp.Or(newest.Status.Err, newest.Status.Message), 500)
	r.Message += fmt.Sprintf("; its newest task is %s: %s", newest.Status.State, r.TaskError)
	return r
}

func (e *evidence) of(g Goal) []swarm.Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []swarm.Task
	for _, t := range e.tasks {
		if t.ServiceID == g.ID && !g.Before[t.ID] {
			out = append(out, t)
		}
	}
	return out
}

// culprit is the task that tells the most about a failure: the newest that failed, else one
// whose health checks did, else one that has ended. A container that is stopped as unhealthy may
// end with exit code 0, and its task is "complete" then.
func (e *evidence) culprit(g Goal, service *swarm.Service) *swarm.Task {
	for _, is := range []func(swarm.Task) bool{failed, e.sick, func(t swarm.Task) bool {
		return ended(t) && (service == nil || !reflect.DeepEqual(plain(t.Spec), plain(service.Spec.TaskTemplate)))
	}} {
		var newest *swarm.Task
		for _, t := range e.of(g) {
			if is(t) && (newest == nil || t.CreatedAt.After(newest.CreatedAt)) {
				newest = &t
			}
		}
		if newest != nil {
			return newest
		}
	}
	return nil
}

func (e *evidence) sick(t swarm.Task) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.health[t.ID]) > 0
}

// task reads a task anew, or gives what was last seen of it.
func (e *evidence) task(ctx context.Context, id string) *swarm.Task {
	if got, err := e.docker.TaskInspect(ctx, id, client.TaskInspectOptions{}); err == nil {
		return &got.Task
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tasks[id]; ok {
		return &t
	}
	return nil
}

// explain enters what is known of a task, and tells whether its health check failed.
func (e *evidence) explain(ctx context.Context, r *Reason, t swarm.Task) (sick bool) {
	r.Task, r.Node, r.TaskError = t.ID, t.NodeID, harmless(cmp.Or(t.Status.Err, t.Status.Message), 500)
	node := swarm.Node{ID: t.NodeID}
	if i := slices.IndexFunc(e.nodes, func(n swarm.Node) bool { return n.ID == t.NodeID }); i >= 0 {
		node = e.nodes[i]
		r.Node = node.Description.Hostname
	}
	container := ""
	if c := t.Status.ContainerStatus; c != nil && t.Status.State != swarm.TaskStateRejected {
		container = c.ContainerID
		if c.ContainerID != "" {
			r.ExitCode = &c.ExitCode
		}
	}
	r.Log = e.logs(ctx, t.ID)
	return e.examine(ctx, r, t, node, container)
}

const logLines = 20

func (e *evidence) logs(ctx context.Context, task string) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	logs, err := e.docker.TaskLogs(ctx, task, client.TaskLogsOptions{ShowStdout: true, ShowStderr: true, Tail: fmt.Sprint(logLines)})
	if err != nil {
		return nil
	}
	defer func() { _ = logs.Close() }()
	text, _ := stream.Both(logs, 64<<10) // what came until then is what there is
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, harmless(strings.TrimRight(line, "\r\n"), 400))
	}
	return lines[max(0, len(lines)-logLines):]
}

// harmless takes a text's power over terminals away, and bounds it.
func harmless(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u202e' {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

// now says what runs of a service.
func now(v view) string {
	if v.service == nil {
		return "nothing: the service is gone"
	}
	count := map[string]int{}
	for _, t := range v.tasks {
		if t.Status.State == swarm.TaskStateRunning && t.Spec.ContainerSpec != nil {
			image, _, _ := strings.Cut(t.Spec.ContainerSpec.Image, "@")
			count[image]++
		}
	}
	var parts []string
	for image, n := range count {
		parts = append(parts, fmt.Sprintf("%d × %s", n, image))
	}
	slices.Sort(parts)
	return cmp.Or(strings.Join(parts, ", "), "nothing: no task of it runs")
}
