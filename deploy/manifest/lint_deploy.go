package manifest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// mode checks deploy.mode and what depends on it.
func (s *service) mode() {
	modes := []string{"", "replicated", "global", "replicated-job", "global-job"}
	if !slices.Contains(modes, s.deploy.Mode) {
		s.say(Error, []string{"deploy", "mode"}, "use one of "+strings.Join(modes[1:], ", "), "there is no mode %q", s.deploy.Mode)
		return
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
		} else if p == nil && s.job() && (s.Restart == "always" || s.Restart == "unless-stopped") {
			s.say(Error, []string{"restart"}, `write deploy.restart_policy with condition: on-failure, or none`, "a job ends: it cannot be started again always")
		}
	}
	if p == nil {
		return
	}
	if !slices.Contains([]string{"", "none", "on-failure", "any"}, p.Condition) {
		s.say(Error, at, "use none, on-failure or any", "there is no condition %q", p.Condition)
	}
	if s.job() && p.Condition == "any" {
		s.say(Error, at, "write on-failure, or none", "a job ends: it cannot be started again always")
	}
	s.notNegative(at[:2], map[string]*types.Duration{"delay": p.Delay, "window": p.Window})
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
		if s.job() {
			s.say(Error, at("")[:2], "remove it", "a job is not updated bit by bit, so Swarm refuses it for a job")
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
		if u.MaxFailureRatio < 0 || u.MaxFailureRatio > 1 {
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

// health checks the health check.
func (s *service) health() {
	h := s.HealthCheck
	if h == nil {
		return
	}
	at := func(k string) []string { return []string{"healthcheck", k} }
	none := h.Disable || len(h.Test) == 1 && h.Test[0] == "NONE"
	if h.Disable && len(h.Test) > 0 && h.Test[0] != "NONE" {
		s.say(Error, at("disable"), "keep one of the two", "it says disable and has a test")
	}
	if len(h.Test) > 0 && !slices.Contains([]string{"NONE", "CMD", "CMD-SHELL"}, h.Test[0]) {
		s.say(Error, at("test"), `put "CMD" in front, or write one string for a shell`, "a list starts with CMD, CMD-SHELL or NONE, and not with %q", h.Test[0])
	}
	if len(h.Test) == 1 && (h.Test[0] == "CMD" || h.Test[0] == "CMD-SHELL") {
		s.say(Error, at("test"), "write the command", "it has no command")
	}
	if h.StartPeriod == nil && !none && !s.job() {
		s.say(Warning, []string{"healthcheck"}, "write start_period: with the time that the service needs to start",
			"there is no start_period, so failures while it starts count, and a slow start is a failed deploy")
	}
	if h.StartInterval != nil && h.StartPeriod == nil {
		s.say(Warning, at("start_interval"), "write start_period:", "it has no effect without start_period")
	}
	for k, d := range map[string]*types.Duration{"interval": h.Interval, "timeout": h.Timeout, "start_period": h.StartPeriod, "start_interval": h.StartInterval} {
		// The daemon refuses values below a millisecond, but takes 0 for its default.
		if d != nil && *d != 0 && *d < types.Duration(1e6) {
			s.say(Error, at(k), "", "%s is less than a millisecond", d)
		}
	}
}

// resources checks limits.
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
	l, r := s.deploy.Resources.Limits, s.deploy.Resources.Reservations
	if l == nil || r == nil {
		return
	}
	limit, reserved := s.m.CPUs(s.name)
	if limit > 0 && reserved > limit {
		s.say(Error, []string{"deploy", "resources", "reservations", "cpus"}, "", "more is reserved than the limit allows")
	}
	if l.MemoryBytes > 0 && r.MemoryBytes > l.MemoryBytes {
		s.say(Error, []string{"deploy", "resources", "reservations", "memory"}, "", "more is reserved than the limit allows")
	}
}

// hasHostPort tells whether a port is published on the node itself.
func (s *service) hasHostPort() bool {
	return slices.ContainsFunc(s.Ports, func(p types.ServicePortConfig) bool {
		return p.Mode == "host" && p.Published != "" && p.Published != "0"
	})
}

// ports checks what is published.
func (s *service) ports() {
	type binding struct{ published, protocol string }
	taken := map[binding]bool{}
	for _, p := range s.Ports {
		say := func(sev Severity, do, format string, args ...any) {
			what := p.Published
			if what == "" {
				what = strconv.Itoa(int(p.Target))
			}
			s.sayItem(sev, "ports", what, do, format, args...)
		}
		if p.Target == 0 || p.Target > 65535 {
			say(Error, "", "%d is no port of a container", p.Target)
		}
		if !slices.Contains([]string{"", "ingress", "host"}, p.Mode) {
			say(Error, "use ingress or host", "there is no mode %q", p.Mode)
		}
		if !slices.Contains([]string{"", "tcp", "udp", "sctp"}, p.Protocol) {
			say(Error, "use tcp, udp or sctp", "there is no protocol %q", p.Protocol)
		}
		if strings.EqualFold(s.deploy.EndpointMode, "dnsrr") && p.Mode != "host" {
			say(Error, "write mode: host for the port, or endpoint_mode: vip", "Swarm cannot publish a port in ingress mode for a service with endpoint_mode: dnsrr")
		}
		if _, err := PublishedPort(p.Published); err != nil {
			say(Error, "publish one port", "%v", err)
			continue
		}
		b := binding{p.Published, p.Protocol}
		if p.Published != "" && p.Published != "0" && taken[b] {
			say(Error, "give each a port of its own", "port %s is published twice", p.Published)
		}
		taken[b] = true
	}
}
