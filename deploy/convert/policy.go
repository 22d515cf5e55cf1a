package convert

import (
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
)

func mode(d types.DeployConfig) swarm.ServiceMode {
	var replicas *uint64
	if d.Replicas != nil {
		n := uint64(max(0, *d.Replicas))
		replicas = &n
	}
	switch d.Mode {
	case "global":
		return swarm.ServiceMode{Global: &swarm.GlobalService{}}
	case "global-job":
		return swarm.ServiceMode{GlobalJob: &swarm.GlobalJob{}}
	case "replicated-job":
		return swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{MaxConcurrent: replicas, TotalCompletions: replicas}}
	}
	return swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: replicas}}
}

// restartPolicy prefers deploy.restart_policy to restart.
func restartPolicy(restart string, p *types.RestartPolicy) *swarm.RestartPolicy {
	if p != nil {
		return &swarm.RestartPolicy{
			Condition:   swarm.RestartPolicyCondition(p.Condition),
			Delay:       (*time.Duration)(p.Delay),
			MaxAttempts: p.MaxAttempts,
			Window:      (*time.Duration)(p.Window),
		}
	}
	name, count, _ := strings.Cut(restart, ":")
	switch name {
	case "no":
		return &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionNone}
	case "always", "unless-stopped":
		return &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny}
	case "on-failure":
		r := &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionOnFailure}
		if n, err := strconv.ParseUint(count, 10, 32); err == nil && n > 0 {
			r.MaxAttempts = &n
		}
		return r
	}
	return nil
}

// updateConfig: parallelism is 1 where it is not given; 0 is all at once.
func updateConfig(u *types.UpdateConfig) *swarm.UpdateConfig {
	if u == nil {
		return nil
	}
	parallelism := uint64(1)
	if u.Parallelism != nil {
		parallelism = *u.Parallelism
	}
	return &swarm.UpdateConfig{
		Parallelism:     parallelism,
		Delay:           time.Duration(u.Delay),
		FailureAction:   swarm.FailureAction(u.FailureAction),
		Monitor:         time.Duration(u.Monitor),
		MaxFailureRatio: u.MaxFailureRatio,
		Order:           swarm.UpdateOrder(u.Order),
	}
}

func healthcheck(h *types.HealthCheckConfig) *container.HealthConfig {
	if h == nil {
		return nil
	}
	if h.Disable {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	duration := func(d *types.Duration) time.Duration {
		if d == nil {
			return 0
		}
		return time.Duration(*d)
	}
	out := &container.HealthConfig{
		Test: h.Test, Timeout: duration(h.Timeout), Interval: duration(h.Interval),
		StartPeriod: duration(h.StartPeriod), StartInterval: duration(h.StartInterval),
	}
	if h.Retries != nil {
		out.Retries = int(min(*h.Retries, 1<<30))
	}
	return out
}

// placement: what a service's image is built for narrows the nodes, too.
func placement(p types.Placement, platform string) *swarm.Placement {
	out := &swarm.Placement{Constraints: p.Constraints, MaxReplicas: p.MaxReplicas}
	for _, pref := range p.Preferences {
		out.Preferences = append(out.Preferences, swarm.PlacementPreference{Spread: &swarm.SpreadOver{SpreadDescriptor: pref.Spread}})
	}
	if os, arch, ok := strings.Cut(platform, "/"); ok {
		arch, _, _ = strings.Cut(arch, "/") // Swarm knows no variants
		out.Platforms = []swarm.Platform{{OS: os, Architecture: arch}}
	}
	return out
}

func (c *converter) resources(key string, r types.Resources) *swarm.ResourceRequirements {
	out := &swarm.ResourceRequirements{}
	limit, reservation := c.m.CPUs(key)
	if l := r.Limits; l != nil {
		out.Limits = &swarm.Limit{NanoCPUs: limit, MemoryBytes: int64(l.MemoryBytes), Pids: l.Pids}
	}
	if l := r.Reservations; l != nil {
		out.Reservations = &swarm.Resources{NanoCPUs: reservation, MemoryBytes: int64(l.MemoryBytes)}
		for _, g := range l.GenericResources {
			var one swarm.GenericResource
			if d := g.DiscreteResourceSpec; d != nil {
				one.DiscreteResourceSpec = &swarm.DiscreteGenericResource{Kind: d.Kind, Value: d.Value}
			}
			out.Reservations.GenericResources = append(out.Reservations.GenericResources, one)
		}
	}
	return out
}
