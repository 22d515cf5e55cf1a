package pipeline

import (
	"testing"
	"time"
)

func TestCollectAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 24 * time.Hour, "90m": 90 * time.Minute, "0s": 0, "never": -1} {
		s, err := ParseSettings([]byte("environments: {dev: {collect_after: \"" + text + "\"}}\n"))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := s.Environment("dev").CollectAge(); got != want || err != nil {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"soon", "-1h", "7"} {
		_, err := ParseSettings([]byte("environments: {dev: {collect_after: \"" + text + "\"}}\n"))
		says(t, err, `slipway.yaml: environments.dev.collect_after: "`+text+`" is no time: write it as 90m or 24h, or never`)
	}
}
