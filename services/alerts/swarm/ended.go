package swarm

// ended counts, for each service, the tasks that ended by themselves since it was first asked.
// Docker keeps the last few tasks of each replica, for as long as nothing new comes: each counts
// once.
type ended struct {
	seen   map[string]bool    // by task, those that Docker still has
	counts map[string]float64 // by service
}

// update gives the counts after a look at all tasks.
func (e *ended) update(services []Service, tasks []Task) map[string]float64 {
	first := e.seen == nil
	seen, counts := map[string]bool{}, map[string]float64{}
	job := map[string]bool{}
	for i := range services {
		s := &services[i]
		job[s.ID], counts[s.ID] = s.job(), e.counts[s.ID]
	}
	for i := range tasks {
		t := &tasks[i]
		count, known := counts[t.ServiceID]
		if !known || !endedByItself(t.Status.State, job[t.ServiceID]) {
			continue
		}
		seen[t.ID] = true
		if !first && !e.seen[t.ID] { // what ended before this service started is no news
			counts[t.ServiceID] = count + 1
		}
	}
	e.seen, e.counts = seen, counts
	return counts
}

// endedByItself tells tasks that nobody stopped: those are "shutdown" or "remove". Only jobs are
// done when they complete.
func endedByItself(state string, job bool) bool {
	return state == "failed" || state == "rejected" || state == "complete" && !job
}

func (s *Service) job() bool { return s.Spec.Mode.ReplicatedJob != nil || s.Spec.Mode.GlobalJob != nil }
