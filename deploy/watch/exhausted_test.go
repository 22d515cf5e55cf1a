package watch

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"
)

// When a service is given up that Swarm's own updater does not look after.
func TestFailsAgainAndAgain(t *testing.T) {
	one := replicas(1)
	for _, c := range []struct {
		name string
		w    *world
		want string
	}{
		{"two failures may be followed by success", newWorld(Created, task(1, crashed), task(1, crashed), task(1, starting)).with(one), "waiting 0/1"},
		{"three are too many", newWorld(Created, task(1, crashed), task(1, crashed), task(1, rejected), task(1, pending)).with(one), "failed 0/1: again and again: 3"},
		{"three, but the fourth runs", newWorld(Created, task(1, crashed), task(1, crashed), task(1, crashed), task(1, up)).with(one, since(0, "task3")), "waiting 1/1"},
		{"three, and the fourth has run for long", newWorld(Created, task(1, crashed), task(1, crashed), task(1, crashed), task(1, up)).with(one), "done 1/1"},
		{"one each of several places", newWorld(Created, task(1, crashed), task(2, crashed), task(3, crashed), task(1, starting)).with(replicas(3)), "waiting 0/3"},
		{"failures of an older spec", newWorld(Updated, task(1, crashed, image("web:1")), task(1, crashed, image("web:1")), task(1, crashed, image("web:1")), task(1, starting)).with(one), "waiting 0/1"},
		{"failures from before the write", newWorld(Updated, task(1, crashed), task(1, crashed), task(1, crashed), task(1, up), task(2, starting)).with(old("task0", "task1", "task2")), "waiting 1/2"},
		{"while Swarm's updater is at it, it decides", newWorld(Updated, task(1, crashed), task(1, crashed), task(1, crashed)).with(one, status(swarm.UpdateStateUpdating, "")), "waiting 0/1"},
		{"no restart", newWorld(Created, task(1, crashed)).with(one, restart(never)), "failed 0/1: does not start it again"},
		{"no more attempts", newWorld(Created, task(1, crashed), task(1, crashed)).with(one, restart(twice)), "failed 0/1: failed 2 times"},
		{"an attempt is left", newWorld(Created, task(1, crashed), task(1, starting)).with(one, restart(twice)), "waiting 0/1"},
		{"ended by itself, and is started again", newWorld(Created, task(1, complete), task(1, starting)).with(one), "waiting 0/1"},
		{"ended by itself, and is not started again", newWorld(Created, task(1, complete)).with(one, restart(onFailure)), "failed 0/1: exit code 0"},
		{"stopped by Swarm is no failure", newWorld(Created, task(1, shutdown), task(1, starting)).with(one, restart(never)), "waiting 0/1"},
	} {
		t.Run(c.name, func(t *testing.T) { c.w.comesTo(t, c.want) })
	}
}

func TestJobs(t *testing.T) {
	job := func(total, concurrent *uint64) func(*world) {
		return func(w *world) {
			mode(swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{TotalCompletions: total, MaxConcurrent: concurrent}})(w)
			w.v.service.JobStatus = &swarm.JobStatus{JobIteration: swarm.Version{Index: 2}}
		}
	}
	now := iteration(2)
	for _, c := range []struct {
		name string
		w    *world
		want string
	}{
		{"completed", newWorld(Created, task(0, complete, now)).with(job(nil, nil)), "done 1/1"},
		{"runs", newWorld(Created, task(0, up, now)).with(job(nil, nil)), "waiting 0/1"},
		{"an earlier run's completion does not count", newWorld(Updated, task(0, complete, iteration(1))).with(job(nil, nil)), "waiting 0/1"},
		{"an earlier run's failures do not count", newWorld(Updated, task(0, crashed, iteration(1)), task(0, up, now)).with(job(nil, nil), restart(never)), "waiting 0/1"},
		{"completes several times", newWorld(Created, task(0, complete, now), task(1, complete, now), task(2, up, now)).with(job(new(uint64(3)), new(uint64(2)))), "waiting 2/3"},
		{"as many as run side by side", newWorld(Created, task(0, complete, now), task(1, complete, now)).with(job(nil, new(uint64(2)))), "done 2/2"},
		{"fails, and is not tried again", newWorld(Created, task(0, crashed, now)).with(job(nil, nil), restart(never)), "failed 0/1: does not start it again"},
		{"fails, and is tried again", newWorld(Created, task(0, crashed, now), task(0, starting, now)).with(job(nil, nil), restart(onFailure)), "waiting 0/1"},
		{"failed before this deploy", newWorld(Unchanged, task(0, crashed, now)).with(job(nil, nil), old("task0"), restart(onFailure)), "failed 0/1: before this deploy"},
		{"failed before this deploy, and runs again", newWorld(Unchanged, task(0, crashed, now), task(0, up, now)).with(job(nil, nil), old("task0"), restart(onFailure)), "waiting 0/1"},
		{"completed before this deploy", newWorld(Unchanged, task(0, complete, now)).with(job(nil, nil), old("task0")), "done 1/1"},
		{"another has changed it", newWorld(Created, task(0, complete, now)).with(job(nil, nil), liveImage("web:3")), "changed by another 1/1"},
		{"on each node", newWorld(Created, task(0, complete, node("a")), task(0, up, node("b"))).with(mode(globalJob), nodes("a", "b", "!c")), "waiting 1/2"},
		{"on each node, completed", newWorld(Created, task(0, complete, node("a")), task(0, complete, node("b"))).with(mode(globalJob), nodes("a", "b", "!c")), "done 2/2"},
	} {
		t.Run(c.name, func(t *testing.T) { c.w.comesTo(t, c.want) })
	}
}

func TestWhenTheWatchEnds(t *testing.T) {
	for _, c := range []struct {
		states string
		stop   bool
		ends   bool
	}{
		{"done", true, true},
		{"done waiting", true, false},
		{"failed waiting", true, true},
		{"failed waiting", false, false},
		{"paused waiting", true, true},
		{"failed rolling", true, false}, // its reason and what runs then are worth the wait
		{"rolling waiting", true, false},
		{"rolledback waiting", true, true},
		{"failed rolledback done", false, true},
		{"gone waiting", true, true},
	} {
		var all []Outcome
		for _, s := range strings.Fields(c.states) {
			all = append(all, Outcome{State: map[string]State{"done": Done, "waiting": Waiting, "failed": Failed, "paused": Paused, "rolling": RollingBack, "rolledback": RolledBack, "gone": Gone}[s]})
		}
		if got := settled(all, c.stop); got != c.ends {
			t.Errorf("%s, StopOnFailure %t: %t", c.states, c.stop, got)
		}
	}
}
