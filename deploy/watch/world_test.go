package watch

import (
	"fmt"
	"time"

	"github.com/moby/moby/api/types/swarm"
)

// world is a view that a test puts together: by default a service of two replicas that run as
// they should.
type world struct {
	g Goal
	v view
}

const long = time.Hour

var epoch = time.Date(2024, 7, 25, 12, 0, 0, 0, time.UTC)

func newWorld(change Change, tasks ...swarm.Task) *world {
	spec := swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: "shop_dev_web"},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "web:2"}},
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(2))}},
	}
	w := &world{g: Goal{Key: "web", ID: "s", Spec: spec, Change: change, Before: map[string]bool{}}}
	w.v = view{service: &swarm.Service{ID: "s", Spec: spec}, tasks: tasks, steady: map[string]time.Duration{}, old: map[string]bool{}}
	for i := range w.v.tasks {
		t := &w.v.tasks[i]
		t.ID, t.ServiceID, t.CreatedAt = fmt.Sprintf("task%d", i), "s", epoch.Add(time.Duration(i)*time.Second)
		w.v.steady[t.ID] = long
	}
	return w
}

// with changes the world, and gives it back.
func (w *world) with(change ...func(*world)) *world {
	for _, c := range change {
		c(w)
	}
	return w
}

// task is one of the spec "web:2", as it should be unless it is changed.
func task(slot int, state swarm.TaskState, change ...func(*swarm.Task)) swarm.Task {
	t := swarm.Task{
		Slot: slot, DesiredState: swarm.TaskStateRunning, Status: swarm.TaskStatus{State: state},
		Spec: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "web:2"}},
	}
	if state != swarm.TaskStateRunning && state != swarm.TaskStateStarting && state != swarm.TaskStatePending {
		t.DesiredState = swarm.TaskStateShutdown
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

func image(name string) func(*swarm.Task) {
	return func(t *swarm.Task) { t.Spec.ContainerSpec = &swarm.ContainerSpec{Image: name} }
}

func node(id string) func(*swarm.Task) { return func(t *swarm.Task) { t.NodeID, t.Slot = id, 0 } }

func desired(s swarm.TaskState) func(*swarm.Task) { return func(t *swarm.Task) { t.DesiredState = s } }

func iteration(n uint64) func(*swarm.Task) {
	return func(t *swarm.Task) { t.JobIteration = &swarm.Version{Index: n} }
}

// both changes what was sent and what is live.
func both(change func(*swarm.ServiceSpec)) func(*world) {
	return func(w *world) { change(&w.g.Spec); change(&w.v.service.Spec) }
}

func mode(m swarm.ServiceMode) func(*world) { return both(func(s *swarm.ServiceSpec) { s.Mode = m }) }

func replicas(n uint64) func(*world) {
	return mode(swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}})
}

// restart gives the service and its tasks a restart policy.
func restart(p swarm.RestartPolicy) func(*world) {
	return func(w *world) {
		both(func(s *swarm.ServiceSpec) { s.TaskTemplate.RestartPolicy = &p })(w)
		for i := range w.v.tasks {
			w.v.tasks[i].Spec.RestartPolicy = &p
		}
	}
}

func update(u swarm.UpdateConfig) func(*world) {
	return both(func(s *swarm.ServiceSpec) { s.UpdateConfig = &u })
}

// status is what Swarm's updater says.
func status(s swarm.UpdateState, message string) func(*world) {
	return func(w *world) { w.v.service.UpdateStatus = &swarm.UpdateStatus{State: s, Message: message} }
}

// live makes the live spec another than the one that was sent.
func liveImage(image string) func(*world) {
	return func(w *world) { w.v.service.Spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Image: image} }
}

// since says for how long some tasks have run.
func since(d time.Duration, tasks ...string) func(*world) {
	return func(w *world) {
		for _, t := range tasks {
			w.v.steady[t] = d
		}
	}
}

func before(tasks ...string) func(*world) {
	return func(w *world) {
		for _, t := range tasks {
			w.g.Before[t] = true
		}
	}
}

func old(tasks ...string) func(*world) {
	return func(w *world) {
		for _, t := range tasks {
			w.v.old[t] = true
		}
	}
}

// nodes are ready ones of these names, with the label name=NAME; "!x" is drained, "~x" paused, "-x" down.
func nodes(names ...string) func(*world) {
	return func(w *world) {
		for _, n := range names {
			node := swarm.Node{Status: swarm.NodeStatus{State: swarm.NodeStateReady}, Spec: swarm.NodeSpec{Availability: swarm.NodeAvailabilityActive}}
			switch n[0] {
			case '!':
				node.Spec.Availability, n = swarm.NodeAvailabilityDrain, n[1:]
			case '~':
				node.Spec.Availability, n = swarm.NodeAvailabilityPause, n[1:]
			case '-':
				node.Status.State, n = swarm.NodeStateDown, n[1:]
			}
			node.ID, node.Spec.Labels = n, map[string]string{"name": n}
			w.v.nodes = append(w.v.nodes, node)
		}
	}
}

func constraint(c string) func(*world) {
	return both(func(s *swarm.ServiceSpec) { s.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{c}} })
}
