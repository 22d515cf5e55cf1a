package manifest

import (
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

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
