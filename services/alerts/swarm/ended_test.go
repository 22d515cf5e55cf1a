package swarm

import "testing"

func TestEndedCountsEachTaskOnce(t *testing.T) {
	service := func(id string, job bool) (s Service) {
		s.ID = id
		if job {
			s.Spec.Mode.ReplicatedJob = &struct{}{}
		}
		return s
	}
	task := func(service, id, state string) (t Task) {
		t.ServiceID, t.ID, t.Status.State = service, id, state
		return t
	}
	services := []Service{service("app", false), service("job", true)}
	var e ended
	for i, look := range []struct {
		tasks    []Task
		app, job float64
	}{
		{[]Task{task("app", "1", "failed"), task("app", "2", "running")}, 0, 0}, // ended before anybody asked
		{[]Task{task("app", "1", "failed"), task("app", "2", "failed"), task("app", "3", "rejected"), task("job", "4", "complete")}, 2, 0},
		{[]Task{task("app", "2", "failed"), task("app", "3", "rejected"), task("app", "5", "shutdown"), task("app", "6", "complete")}, 3, 0},
		{[]Task{task("gone", "7", "failed"), task("job", "8", "failed")}, 3, 1},
	} {
		got := e.update(services, look.tasks)
		if got["app"] != look.app || got["job"] != look.job || len(got) != 2 {
			t.Errorf("look %d: %v", i, got)
		}
	}
	if got := e.update(services[:1], nil); len(got) != 1 || got["app"] != 3 {
		t.Errorf("after a service was removed: %v", got)
	}
}
