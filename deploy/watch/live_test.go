package watch

import (
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
)

// bed is a Swarm whose Docker Hub has "alpine".
func bed(t *testing.T) *dockerd.Daemon {
	t.Helper()
	d := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, "alpine").Host}})
	d.Init(t)
	return d
}

func shell(name, script string) swarm.ServiceSpec {
	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: name, Labels: map[string]string{"com.docker.stack.namespace": "x"}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: "alpine", Command: []string{"/bin/sh", "-c", script}, StopGracePeriod: new(time.Millisecond)},
			RestartPolicy: &swarm.RestartPolicy{Delay: new(100 * time.Millisecond)},
		},
		UpdateConfig: &swarm.UpdateConfig{Parallelism: 1, Monitor: 500 * time.Millisecond, FailureAction: swarm.UpdateFailureActionContinue},
	}
}

const sleeps = "trap 'exit 0' TERM; while :; do sleep 0.1; done"

// goal is a service as it is right after a write.
func goal(t *testing.T, d *dockerd.Daemon, id string, change Change, before map[string]bool) Goal {
	t.Helper()
	got, err := d.Client.ServiceInspect(t.Context(), id, client.ServiceInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := got.Service
	return Goal{Key: s.Spec.Name, Name: s.Spec.Name, ID: id, Spec: s.Spec, Version: s.Version.Index, Change: change, Before: before}
}

func create(t *testing.T, d *dockerd.Daemon, spec swarm.ServiceSpec) Goal {
	t.Helper()
	made, err := d.Client.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	return goal(t, d, made.ID, Created, nil)
}

func change(t *testing.T, d *dockerd.Daemon, g Goal, spec swarm.ServiceSpec) Goal {
	t.Helper()
	tasks, err := d.Client.TaskList(t.Context(), client.TaskListOptions{Filters: make(client.Filters).Add("service", g.ID)})
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]bool{}
	for _, task := range tasks.Items {
		before[task.ID] = true
	}
	now := goal(t, d, g.ID, Unchanged, nil)
	if _, err := d.Client.ServiceUpdate(t.Context(), g.ID, client.ServiceUpdateOptions{Version: swarm.Version{Index: now.Version}, Spec: spec}); err != nil {
		t.Fatal(err)
	}
	return goal(t, d, g.ID, Updated, before)
}

func watched(t *testing.T, d *dockerd.Daemon, timeout time.Duration, goals ...Goal) []Outcome {
	t.Helper()
	out, err := Watch(t.Context(), d.Client, goals, Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Two updates that Swarm does not call failures: one whose failures it was told not to mind, and
// one whose task has nowhere to go.
func TestUpdatesThatSwarmCallsNoFailures(t *testing.T) {
	d := bed(t)
	crashes, moves := create(t, d, shell("crashes", sleeps)), create(t, d, shell("moves", sleeps))
	for _, o := range watched(t, d, time.Minute, crashes, moves) {
		if o.State != Done || o.Running != 1 {
			t.Fatalf("%+v", o)
		}
	}
	away := shell("moves", sleeps)
	away.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.labels.disk==ssd"}}
	o := watched(t, d, 3*time.Second, change(t, d, moves, away))[0]
	if o.State != TimedOut || o.Reason == nil || !strings.Contains(o.Reason.Message, "0 of 1 tasks run") || !strings.Contains(o.Reason.TaskError, "scheduling constraints not satisfied") {
		t.Errorf("moves: %+v %+v", o, o.Reason)
	}
	o = watched(t, d, time.Minute, change(t, d, crashes, shell("crashes", "echo no database; sleep 0.4; exit 3")))[0]
	if o.State != Failed || o.Reason == nil || o.Reason.ExitCode == nil || *o.Reason.ExitCode != 3 || strings.Join(o.Reason.Log, " ") != "no database" {
		t.Errorf("crashes: %+v %+v", o, o.Reason)
	}
}
