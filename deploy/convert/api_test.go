package convert_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/deploy/convert"
)

const modern = `
services:
  web:
    image: example/web
    ulimits: {nofile: 5}
    oom_score_adj: 100
    healthcheck: {test: "true", start_period: 9s, start_interval: 1s}
    deploy: {resources: {limits: {pids: 9}}}
    networks: [n]
networks:
  n: {enable_ipv4: true}
`

// A field that the daemon would drop is dropped here, and said.
func TestOldDaemon(t *testing.T) {
	m := from(t, modern)
	for api, want := range map[string][]string{
		"": nil, "1.52": nil, "nonsense": nil,
		"1.46": {"m0.yaml:11: networks.n.enable_ipv4 is left out: the daemon's API is 1.46, and it needs 1.47"},
		"1.41": {
			"m0.yaml:7: services.web.healthcheck.start_interval is left out: the daemon's API is 1.41, and it needs 1.44",
			"m0.yaml:6: services.web.oom_score_adj is left out: the daemon's API is 1.41, and it needs 1.46",
			"m0.yaml:11: networks.n.enable_ipv4 is left out: the daemon's API is 1.41, and it needs 1.47",
		},
		"1.40": {
			"m0.yaml:5: services.web.ulimits is left out: the daemon's API is 1.40, and it needs 1.41",
			"m0.yaml:8: services.web.deploy.resources.limits.pids is left out: the daemon's API is 1.40, and it needs 1.41",
			"m0.yaml:7: services.web.healthcheck.start_interval is left out: the daemon's API is 1.40, and it needs 1.44",
			"m0.yaml:6: services.web.oom_score_adj is left out: the daemon's API is 1.40, and it needs 1.46",
			"m0.yaml:11: networks.n.enable_ipv4 is left out: the daemon's API is 1.40, and it needs 1.47",
		},
	} {
		s := stack(t, m, convert.Options{API: api})
		if strings.Join(s.Notes, "\n") != strings.Join(want, "\n") {
			t.Errorf("API %q:\n%s", api, strings.Join(s.Notes, "\n"))
		}
		c := s.Services[0].Spec.TaskTemplate
		got := fmt.Sprint(len(c.ContainerSpec.Ulimits), c.Resources.Limits.Pids, c.ContainerSpec.Healthcheck.StartInterval, c.ContainerSpec.OomScoreAdj, s.Networks[0].EnableIPv4 != nil)
		if wantSpec := map[string]string{"1.46": "1 9 1s 100 false", "1.41": "1 9 0s 0 false", "1.40": "0 0 0s 0 false"}[api]; wantSpec != "" && got != wantSpec {
			t.Errorf("API %s: %s, want %s", api, got, wantSpec)
		} else if wantSpec == "" && got != "1 9 1s 100 true" {
			t.Errorf("API %q: %s", api, got)
		}
	}
}

// What would then do something else is refused, all at once.
func TestTooOldDaemon(t *testing.T) {
	m := from(t, `
services:
  job: {image: example/job, deploy: {mode: replicated-job}}
  web:
    image: example/web
    cap_add: [NET_ADMIN]
    cap_drop: [ALL]
    volumes:
      - {type: volume, source: v, target: /v, volume: {subpath: x}}
  image:
    image: example/web
    volumes:
      - {type: image, source: example/assets, target: /a}
  bind:
    image: example/web
    volumes:
      - {type: bind, source: /srv, target: /a, read_only: true, bind: {recursive: readonly}}
volumes: {v: }
`)
	_, err := convert.Convert(m, convert.Options{API: "1.40"})
	want := `m0.yaml:16: services.bind.volumes: the daemon's API is 1.40, and this needs 1.44: update Docker
m0.yaml:12: services.image.volumes: the daemon's API is 1.40, and this needs 1.48: update Docker
m0.yaml:3: services.job.deploy.mode: the daemon's API is 1.40, and this needs 1.41: update Docker
m0.yaml:6: services.web.cap_add: the daemon's API is 1.40, and this needs 1.41: update Docker
m0.yaml:7: services.web.cap_drop: the daemon's API is 1.40, and this needs 1.41: update Docker
m0.yaml:8: services.web.volumes: the daemon's API is 1.40, and this needs 1.45: update Docker`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v", err)
	}
	if _, err := convert.Convert(m, convert.Options{API: "1.48"}); err != nil {
		t.Error(err)
	}
}
