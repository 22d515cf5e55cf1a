package manifest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// mode checks deploy.mode and what depends on it.
func (s *service) mode() {
	modes := []string{"", "replicated", "global", "replicated-job", "global-job"}
	if !slices.Contains(modes, s.deploy.Mode) {
		s.say(Error, []string{"deploy", "mode"}, "use one of "+strings.Join(modes[1:], ", "), "there is no mode %q", s.deploy.Mode)
	}
	global := s.deploy.Mode == "global" || s.deploy.Mode == "global-job"
	switch r := s.deploy.Replicas; {
	case r != nil && *r < 0:
		s.say(Error, []string{"deploy", "replicas"}, "", "a service cannot have %d replicas", *r)
	case r != nil && global:
		s.say(Error, []string{"deploy", "replicas"}, "remove it, or the mode", "a %s service runs once on each node and has no replicas", s.deploy.Mode)
	}
	if global && s.deploy.Placement.MaxReplicas > 0 {
		s.say(Error, []string{"deploy", "placement", "max_replicas_per_node"}, "remove it", "a %s service runs once on each node anyway", s.deploy.Mode)
	}
	if s.job() && len(s.Ports) > 0 {
		s.say(Warning, []string{"ports"}, "remove them unless somebody connects to the job", "a job ends, and its ports with it")
	}
	if e := s.deploy.EndpointMode; !slices.Contains([]string{"", "vip", "dnsrr"}, strings.ToLower(e)) {
		s.say(Error, []string{"deploy", "endpoint_mode"}, "use vip or dnsrr", "there is no endpoint mode %q", e)
	}
}

var restartRule = regexp.MustCompile(`^(no|always|unless-stopped|on-failure(:\d+)?)$`)

// restart checks restart: and deploy.restart_policy.
func (s *service) restart() {
	p := s.deploy.RestartPolicy
	at := []string{"deploy", "restart_policy", "condition"}
	if s.Restart != "" {
		if p != nil {
			s.say(Warning, []string{"restart"}, "remove it", "it has no effect beside deploy.restart_policy")
		}
		if !restartRule.MatchString(s.Restart) {
			s.say(Error, []string{"restart"}, "use no, always, unless-stopped, on-failure or on-failure:3", "there is no restart policy %q", s.Restart)
		}
	}
	s.jobRestart()
	if p == nil {
		return
	}
	if !slices.Contains([]string{"", "none", "on-failure", "any"}, p.Condition) {
		s.say(Error, at, "use none, on-failure or any", "there is no condition %q", p.Condition)
	}
	s.notNegative(at[:2], map[string]*types.Duration{"delay": p.Delay, "window": p.Window})
}

// jobRestart warns of a job that never fails: Swarm's default is to start it again.
func (s *service) jobRestart() {
	p := s.deploy.RestartPolicy
	bounded := p != nil && (p.Condition == "none" || p.MaxAttempts != nil && *p.MaxAttempts > 0) ||
		p == nil && (s.Restart == "no" || strings.HasPrefix(s.Restart, "on-failure:"))
	if s.job() && !bounded {
		s.say(Warning, []string{"deploy", "restart_policy"}, "write condition: none, or max_attempts:",
			"a job that fails is started again for ever, so a deploy waits for it until its time is up")
	}
}

// updates checks update_config and rollback_config.
func (s *service) updates() {
	for _, u := range []struct {
		key string
		*types.UpdateConfig
	}{{"update_config", s.deploy.UpdateConfig}, {"rollback_config", s.deploy.RollbackConfig}} {
		if u.UpdateConfig == nil {
			continue
		}
		at := func(k string) []string { return []string{"deploy", u.key, k} }
		if s.job() && u.key == "update_config" {
			s.say(Error, at("")[:2], "remove it", "a job is not updated bit by bit, so Swarm refuses it for a job")
		} else if s.job() {
			s.say(Warning, at("")[:2], "remove it", "it has no effect: a job is not rolled back")
		}
		actions := []string{"", "continue", "pause", "rollback"}
		if u.key == "rollback_config" {
			actions = actions[:3]
		}
		if !slices.Contains(actions, u.FailureAction) {
			s.say(Error, at("failure_action"), "use one of "+strings.Join(actions[1:], ", "), "there is no failure action %q here", u.FailureAction)
		}
		if !slices.Contains([]string{"", "stop-first", "start-first"}, u.Order) {
			s.say(Error, at("order"), "use stop-first or start-first", "there is no order %q", u.Order)
		}
		if r := u.MaxFailureRatio; !(r >= 0 && r <= 1) { // NaN is neither
			s.say(Error, at("max_failure_ratio"), "", "%v is no ratio between 0 and 1", u.MaxFailureRatio)
		}
		s.notNegative(at("")[:2], map[string]*types.Duration{"delay": &u.Delay, "monitor": &u.Monitor})
		if u.Order == "start-first" && s.hasHostPort() {
			s.say(Error, at("order"), "write order: stop-first", "a port in host mode is taken until the old task has gone, so the new one can never start before it")
		}
	}
}

func (s *service) notNegative(at []string, values map[string]*types.Duration) {
	for k, d := range values {
		if d != nil && *d < 0 {
			s.say(Error, append(slices.Clone(at), k), "", "%s is negative", d)
		}
	}
}

// resources checks limits and reservations; the bounds are swarmkit's (validateResources).
func (s *service) resources() {
	for _, r := range []struct {
		key string
		*types.Resource
	}{{"limits", s.deploy.Resources.Limits}, {"reservations", s.deploy.Resources.Reservations}} {
		if r.Resource == nil {
			continue
		}
		if r.MemoryBytes < 0 {
			s.say(Error, []string{"deploy", "resources", r.key, "memory"}, "", "it is negative")
		} else if r.MemoryBytes > 0 && r.MemoryBytes < 4<<20 {
			s.say(Error, []string{"deploy", "resources", r.key, "memory"}, `write a unit: "64M"`, "%d bytes are less than the 4 MiB that Swarm demands", r.MemoryBytes)
		}
	}
	limit, reserved := s.m.CPUs(s.name)
	for kind, n := range map[string]int64{"limits": limit, "reservations": reserved} {
		if n > 0 && n < 1e6 {
			s.say(Error, []string{"deploy", "resources", kind, "cpus"}, "", "less than the 0.001 CPUs that Swarm demands")
		}
	}
	l, r := s.deploy.Resources.Limits, s.deploy.Resources.Reservations
	if l == nil || r == nil {
		return
	}
	if limit > 0 && reserved > limit {
		s.say(Warning, []string{"deploy", "resources", "reservations", "cpus"}, "", "more is reserved than the limit lets it use")
	}
	if l.MemoryBytes > 0 && r.MemoryBytes > l.MemoryBytes {
		s.say(Warning, []string{"deploy", "resources", "reservations", "memory"}, "", "more is reserved than the limit lets it use")
	}
}
