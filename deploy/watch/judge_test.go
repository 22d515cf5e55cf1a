package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
)

const (
	up       = swarm.TaskStateRunning
	starting = swarm.TaskStateStarting
	pending  = swarm.TaskStatePending
	complete = swarm.TaskStateComplete
	crashed  = swarm.TaskStateFailed
	shutdown = swarm.TaskStateShutdown
	rejected = swarm.TaskStateRejected
)

var (
	global     = swarm.ServiceMode{Global: &swarm.GlobalService{}}
	globalJob  = swarm.ServiceMode{GlobalJob: &swarm.GlobalJob{}}
	onFailure  = swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionOnFailure}
	never      = swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionNone}
	twice      = swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionOnFailure, MaxAttempts: new(uint64(1))}
	unminding  = swarm.UpdateConfig{FailureAction: swarm.UpdateFailureActionContinue}
	permissive = swarm.UpdateConfig{FailureAction: swarm.UpdateFailureActionRollback, MaxFailureRatio: 0.5}
)

// Each row is a view and what it comes to: "state running/wanted: a part of the message".
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name string
		w    *world
		want string
	}{
		// Done: the live spec is the desired one, and all tasks of it have run for the monitor period.
		{"new, and up for long", newWorld(Created, task(1, up), task(2, up)), "done 2/2"},
		{"new, and not up for long", newWorld(Created, task(1, up), task(2, up)).with(since(time.Second, "task1")), "waiting 2/2"},
		{"new, up for its own monitor period", newWorld(Created, task(1, up), task(2, up)).with(update(swarm.UpdateConfig{Monitor: time.Second}), since(time.Second, "task0", "task1")), "done 2/2"},
		{"new, not yet up for its own monitor period", newWorld(Created, task(1, up), task(2, up)).with(update(swarm.UpdateConfig{Monitor: 10 * time.Second}), since(9*time.Second, "task1")), "waiting 2/2"},
		{"new, one is not healthy yet", newWorld(Created, task(1, up), task(2, starting)), "waiting 1/2"},
		{"new, without tasks", newWorld(Created), "waiting 0/2"},
		{"two tasks of one place are one", newWorld(Created, task(1, up), task(1, up)), "waiting 1/2"},
		{"a task that is to stop does not count", newWorld(Created, task(1, up), task(2, up, desired(shutdown))), "waiting 1/2"},
		// An absent status is not "done": not right after an update, and for ever not on a new service.
		{"updated, no status yet, old tasks", newWorld(Updated, task(1, up, image("web:1")), task(2, up, image("web:1"))), "waiting 0/2"},
		{"updated, no status, and no task had to change", newWorld(Updated, task(1, up), task(2, up)).with(before("task0", "task1")), "done 2/2"},
		{"updated, and Swarm is at it", newWorld(Updated, task(1, up), task(2, up)).with(status(swarm.UpdateStateUpdating, "")), "waiting 2/2"},
		{"updated, and Swarm has monitored it", newWorld(Updated, task(1, up), task(2, up)).with(status(swarm.UpdateStateCompleted, ""), since(0, "task0", "task1")), "done 2/2"},
		{"completed, and a task has gone since", newWorld(Updated, task(1, up), task(2, starting)).with(status(swarm.UpdateStateCompleted, "")), "waiting 1/2"},
		{"completed, but Swarm minds no failure", newWorld(Updated, task(1, up), task(2, up)).with(update(unminding), status(swarm.UpdateStateCompleted, ""), since(0, "task0", "task1")), "waiting 2/2"},
		{"completed, but Swarm minds only many failures", newWorld(Updated, task(1, up), task(2, up)).with(update(permissive), status(swarm.UpdateStateCompleted, ""), since(0, "task1")), "waiting 2/2"},
		{"only the endpoint differs, and the old tasks run", newWorld(Updated, task(1, up), task(2, up)).with(before("task0", "task1"), func(w *world) { w.g.Anew = true }), "waiting 0/2"},
		{"other defaults of another daemon are no difference", newWorld(Created, task(1, up), task(2, up)).with(func(w *world) { w.v.service.Spec.TaskTemplate.Runtime = swarm.RuntimeContainer }), "done 2/2"},
		// A paused update is a failed deploy.
		{"paused", newWorld(Updated, task(1, up), task(2, crashed)).with(status(swarm.UpdateStatePaused, "update paused due to failure")), "paused 1/2: update paused due to failure"},
		{"paused by an earlier deploy", newWorld(Unchanged, task(1, up), task(2, up)).with(status(swarm.UpdateStatePaused, "long ago")), "paused 2/2: long ago"},
		// Rolled back: its state says so, or the live spec is no longer the desired one.
		{"rolling back", newWorld(Updated, task(1, up, image("web:1")), task(2, starting, image("web:1"))).with(liveImage("web:1"), status(swarm.UpdateStateRollbackStarted, "due to task x")), "rolling back 1/2: due to task x"},
		{"rolled back, and the old tasks are the up-to-date ones", newWorld(Updated, task(1, up, image("web:1")), task(2, up, image("web:1"))).with(liveImage("web:1"), status(swarm.UpdateStateRollbackCompleted, "rollback completed")), "rolled back 2/2: rollback completed"},
		{"rolled back, says Swarm, and the old tasks are still to start", newWorld(Updated, task(1, up, image("web:1")), task(2, swarm.TaskStateReady, image("web:1"))).with(liveImage("web:1"), status(swarm.UpdateStateRollbackCompleted, "")), "rolling back 1/2"},
		{"rolled back to what does not run", newWorld(Updated, task(1, up, image("web:1")), task(2, rejected, image("web:1")), task(2, rejected, image("web:1")), task(2, rejected, image("web:1"))).with(liveImage("web:1"), status(swarm.UpdateStateRollbackCompleted, "")), "failed 1/2: what it went back to does not run: its tasks fail again and again"},
		{"the rollback is paused", newWorld(Updated, task(1, up, image("web:1"))).with(liveImage("web:1"), status(swarm.UpdateStateRollbackPaused, "due to task y")), "failed 1/2: paused the rollback: due to task y"},
		{"somebody else's spec is live", newWorld(Updated, task(1, up, image("web:3")), task(2, up, image("web:3"))).with(liveImage("web:3"), status(swarm.UpdateStateCompleted, "")), "changed by another 2/2: somebody changed"},
		{"somebody else's spec is live, with no status", newWorld(Created, task(1, up, image("web:3")), task(2, up, image("web:3"))).with(liveImage("web:3")), "changed by another 2/2"},
		{"the service is gone", newWorld(Created).with(func(w *world) { w.v.service = nil }), "gone 0/0: somebody removed"},
		{"sent back by this deploy, and Swarm is still at its own way back", newWorld(Updated, task(1, up), task(2, up)).with(status(swarm.UpdateStateRollbackStarted, "")), "waiting 2/2"},
		{"sent back, and Swarm's way back is complete", newWorld(Updated, task(1, up), task(2, up)).with(status(swarm.UpdateStateRollbackCompleted, "")), "done 2/2"},
		{"nothing to do after an earlier rollback", newWorld(Unchanged, task(1, up), task(2, up)).with(status(swarm.UpdateStateRollbackCompleted, "")), "done 2/2"},
		// Scaled to nothing.
		{"no replicas wanted, and none there", newWorld(Updated, task(1, shutdown), task(2, complete)).with(replicas(0)), "done 0/0"},
		{"no replicas wanted, and one still runs", newWorld(Updated, task(1, up, desired(shutdown))).with(replicas(0)), "waiting 0/0"},
		{"no number of replicas is one", newWorld(Created, task(1, up)).with(mode(swarm.ServiceMode{Replicated: &swarm.ReplicatedService{}})), "done 1/1"},
		// Another placement makes no task outdated whose node fits still.
		{"another constraint, which all nodes fit", newWorld(Updated, task(1, up, node("a")), task(2, up, node("a"))).with(replicas(1), nodes("a", "b"), constraint("node.labels.name==a")), "done 1/1"},
		{"another constraint, and the task has yet to move", newWorld(Updated, task(1, up, node("b"))).with(replicas(1), nodes("a", "b"), constraint("node.labels.name==a")), "waiting 0/1"},
		// Global services want a task on each node that takes tasks.
		{"global, on all nodes", newWorld(Created, task(0, up, node("a")), task(0, up, node("b"))).with(mode(global), nodes("a", "b")), "done 2/2"},
		{"global, one node is missing", newWorld(Created, task(0, up, node("a"))).with(mode(global), nodes("a", "b")), "waiting 1/2"},
		{"global, drained and down nodes want none", newWorld(Created, task(0, up, node("a"))).with(mode(global), nodes("a", "!b", "-c")), "done 1/1"},
		{"global, a paused node's task stands for none", newWorld(Updated, task(0, starting, node("a")), task(0, up, node("b"))).with(mode(global), nodes("a", "~b")), "waiting 0/1"},
		{"global, by constraint", newWorld(Created, task(0, up, node("a"))).with(mode(global), nodes("a", "b"), constraint("node.labels.name==a")), "done 1/1"},
		{"global, and no node fits", newWorld(Created).with(mode(global), nodes("!a")), "done 0/0"},
	} {
		t.Run(c.name, func(t *testing.T) { c.w.comesTo(t, c.want) })
	}
}

// comesTo wants a judgement.
func (w *world) comesTo(t *testing.T, want string) {
	t.Helper()
	j := judge(w.g, w.v)
	head, part, _ := strings.Cut(want, ": ")
	got := fmt.Sprintf("%s %d/%d", j.state, j.running, j.wanted)
	if got != head || !strings.Contains(j.message, part) {
		t.Errorf("%s: %s, want %s", got, j.message, want)
	}
}
