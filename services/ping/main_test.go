package main

import (
	"strings"
	"syscall"
	"testing"

	"services/shared/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

func TestServesAndStops(t *testing.T) {
	p := processtest.Start(t, []string{"VERSION=20240725_4605cc6e"})
	for path, want := range map[string]string{
		"/api/service/ping":    `{"name":"ping","status":"ok"}` + "\n",
		"/api/service/version": `{"name":"ping","version":"20240725_4605cc6e"}` + "\n",
	} {
		if status, body := p.Ask("GET", path, ""); status != 200 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := p.Ask("GET", "/metrics", ""); status != 404 {
		t.Errorf("/metrics on the port for everybody: %d %s", status, body)
	}
	if told := p.Metrics(); !strings.Contains(told, `service_info{service="ping",version="20240725_4605cc6e"} 1`) {
		t.Errorf("/metrics: %s", told)
	}
	if code, said := processtest.Run(t, []string{"HTTP_ADDR=" + p.Addr}, "-healthcheck"); code != 0 || said != "" {
		t.Errorf("-healthcheck while it runs: exit code %d, %s", code, said)
	}
	if code := p.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	code, said := processtest.Run(t, []string{"HTTP_ADDR=" + p.Addr}, "-healthcheck")
	if code != 1 || !strings.HasPrefix(said, "ping: the service does not answer: ") {
		t.Errorf("-healthcheck after it stopped: exit code %d, %s", code, said)
	}
}

func TestStopsOnInterrupt(t *testing.T) {
	if code := processtest.Start(t, nil).Signal(syscall.SIGINT); code != 0 {
		t.Errorf("SIGINT: exit code %d", code)
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		env, arg string
		code     int
		says     string
	}{
		{"", "-help", 0, "-healthcheck"},
		{"", "-heathcheck", 2, "-heathcheck"},
		{"", "serve", 2, `was given ["serve"]`},
		{"HTTP_ADDR=8080", "", 1, `listening on "8080"`},
		{"METRICS_ADDR=9090", "", 1, "set METRICS_ADDR to another host:port"},
		{"HTTP_ADDR=8080", "-healthcheck", 1, `"8080" is not host:port`},
	} {
		var args []string
		if test.arg != "" {
			args = []string{test.arg}
		}
		if code, said := processtest.Run(t, []string{test.env}, args...); code != test.code || !strings.Contains(said, test.says) {
			t.Errorf("%s %s: exit code %d, %s", test.env, test.arg, code, said)
		}
	}
}
