package watch

import (
	"fmt"
	"reflect"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// view is what one reading shows of a service.
type view struct {
	service *swarm.Service // nil: it is not there
	tasks   []swarm.Task   // all of the service's
	nodes   []swarm.Node
	// steady is for how long each task has been seen running.
	steady map[string]time.Duration
	// old are tasks that had ended before the watch began, or before the write that it is about.
	old map[string]bool
}

// judgement is what a view comes to.
type judgement struct {
	state           State
	running, wanted int
	message         string
}

// crashes is how many tasks of one slot may fail before a service that Swarm's own updater
// does not look after is taken for failed.
const crashes = 3

// judge decides. It is pure: the same view gives the same judgement.
func judge(g Goal, v view) judgement {
	if v.service == nil {
		return judgement{state: Gone, message: "somebody removed the service meanwhile"}
	}
	j := judgement{state: Waiting}
	current := v.current(g)
	j.running, j.wanted = v.count(current)
	same := reflect.DeepEqual(convert.Shown(v.service.Spec, nil), convert.Shown(g.Spec, nil))
	status := swarm.UpdateStatus{}
	if v.service.UpdateStatus != nil {
		status = *v.service.UpdateStatus
	}
	if !same {
		return v.replaced(j, current, status)
	}
	switch status.State {
	case swarm.UpdateStateUpdating, swarm.UpdateStateRollbackStarted:
		return j
	case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused:
		j.state, j.message = Paused, status.Message
		return j
	}
	if job(v.service.Spec) {
		return v.job(j, current)
	}
	if j.wanted == 0 && none(v.tasks) || j.wanted > 0 && j.running >= j.wanted && v.settled(g, current, status.State) {
		j.state = Done
		return j
	}
	if why := v.exhausted(current); why != "" {
		j.state, j.message = Failed, why
	}
	return j
}

// replaced is for a service whose live spec is not the one that was sent: after Swarm's own
// rollback the old tasks are the up-to-date ones, and nothing about them is success.
func (v view) replaced(j judgement, current []swarm.Task, status swarm.UpdateStatus) judgement {
	j.message = status.Message
	switch status.State {
	case swarm.UpdateStateRollbackStarted:
		j.state = RollingBack
	case swarm.UpdateStateRollbackCompleted:
		// Swarm says so as soon as no task is left that is not of the old spec. With stop-first the
		// old one may be about to start again, after the restart policy's delay.
		j.state = RolledBack
		if j.running < j.wanted {
			j.state = RollingBack
			if why := v.exhausted(current); why != "" {
				j.state, j.message = Failed, "Swarm rolled it back, and what it went back to does not run: "+why
			}
		}
	case swarm.UpdateStateRollbackPaused:
		j.state, j.message = Failed, "Swarm rolled it back, and paused the rollback: "+status.Message
	default:
		j.state, j.message = ChangedByAnother, "somebody changed the service meanwhile: what is live is not what was deployed"
	}
	return j
}

// settled tells whether the running tasks have run for long enough. An update that Swarm calls
// completed has been monitored by Swarm, unless it was told not to mind failures.
func (v view) settled(g Goal, current []swarm.Task, status swarm.UpdateState) bool {
	u := v.service.Spec.UpdateConfig
	minds := u == nil || u.FailureAction != swarm.UpdateFailureActionContinue && u.MaxFailureRatio == 0
	if g.Change == Updated && status == swarm.UpdateStateCompleted && minds {
		return true
	}
	for _, t := range current {
		if t.Status.State == swarm.TaskStateRunning && t.DesiredState == swarm.TaskStateRunning && v.steady[t.ID] < monitor(g.Spec) {
			return false
		}
	}
	return true
}

// exhausted says why no task of a place will come up any more, "" where one may.
func (v view) exhausted(current []swarm.Task) string {
	policy := v.service.Spec.TaskTemplate.RestartPolicy
	if policy == nil {
		policy = &swarm.RestartPolicy{}
	}
	count := map[string]uint64{}
	for _, t := range current {
		if v.old[t.ID] || v.up(t, current) {
			continue
		}
		switch {
		case failed(t):
			count[place(t)]++
		case t.Status.State == swarm.TaskStateComplete && !job(v.service.Spec) && policy.Condition != swarm.RestartPolicyConditionAny && policy.Condition != "":
			return "its task ended by itself with exit code 0, and its restart policy does not start it again"
		}
	}
	for _, n := range count {
		switch {
		case policy.Condition == swarm.RestartPolicyConditionNone:
			return "its task failed, and its restart policy does not start it again"
		case policy.MaxAttempts != nil && *policy.MaxAttempts > 0 && n > *policy.MaxAttempts:
			return fmt.Sprintf("its tasks failed %d times, and its restart policy allows no more attempts", n)
		case n >= crashes:
			return fmt.Sprintf("its tasks fail again and again: %d in a row", n)
		}
	}
	return ""
}

func job(s swarm.ServiceSpec) bool { return s.Mode.ReplicatedJob != nil || s.Mode.GlobalJob != nil }

// job judges a service whose tasks are to end.
func (v view) job(j judgement, current []swarm.Task) judgement {
	if j.running >= j.wanted {
		j.state = Done
		return j
	}
	done := map[string]bool{}
	for _, t := range current {
		done[place(t)] = done[place(t)] || t.Status.State == swarm.TaskStateComplete || !ended(t)
	}
	if why := v.exhausted(current); why != "" {
		j.state, j.message = Failed, why
		return j
	}
	// One that failed before the watch began, and is not tried again.
	for _, t := range current {
		if v.old[t.ID] && failed(t) && !done[place(t)] {
			j.state, j.message = Failed, "its task failed before this deploy, and a job runs again only when something about it changes"
		}
	}
	return j
}
