package convert

import (
	"cmp"
	"encoding/json"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
)

// Shown is a spec as the daemon shows it after it has taken it: its defaults filled in, and
// networks by their ids (networks has them by name; one that is not there keeps its name). A
// service is up to date when Shown of what is wanted equals Shown of what is live: daemons of
// other versions may fill in less. The tests hold it against a daemon.
func Shown(spec swarm.ServiceSpec, networks map[string]string) swarm.ServiceSpec {
	s := clone(spec)
	t := &s.TaskTemplate
	t.Runtime = cmp.Or(t.Runtime, swarm.RuntimeContainer)
	if c := t.ContainerSpec; c != nil {
		c.Isolation = cmp.Or(c.Isolation, container.IsolationDefault)
		for i := range c.Mounts {
			c.Mounts[i].Consistency = "" // for Docker Desktop; a Swarm forgets it
		}
	}
	if p := t.RestartPolicy; p != nil {
		p.Condition = cmp.Or(p.Condition, swarm.RestartPolicyConditionAny)
		if p.MaxAttempts == nil {
			p.MaxAttempts = new(uint64(0))
		}
	}
	for i, n := range t.Networks {
		t.Networks[i].Target = cmp.Or(networks[n.Target], n.Target)
	}
	for _, u := range []*swarm.UpdateConfig{s.UpdateConfig, s.RollbackConfig} {
		if u != nil {
			u.FailureAction = cmp.Or(u.FailureAction, swarm.UpdateFailureActionPause)
			u.Order = cmp.Or(u.Order, swarm.UpdateOrderStopFirst)
		}
	}
	if e := s.EndpointSpec; e != nil {
		e.Mode = cmp.Or(e.Mode, swarm.ResolutionModeVIP)
	}
	if r := s.Mode.Replicated; r != nil && r.Replicas == nil {
		r.Replicas = new(uint64(1))
	}
	if j := s.Mode.ReplicatedJob; j != nil { // daemon/cluster/convert/service.go: ServiceSpecToGRPC
		if j.MaxConcurrent == nil {
			j.MaxConcurrent = new(uint64(1))
		}
		if j.TotalCompletions == nil {
			j.TotalCompletions = new(*j.MaxConcurrent)
		}
	}
	return s
}

// clone copies a spec in depth.
func clone(spec swarm.ServiceSpec) (out swarm.ServiceSpec) {
	data, err := json.Marshal(spec)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil { // it has only fields that JSON can carry: it comes and goes as JSON
		panic(err)
	}
	return out
}
