package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"services/shared/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

func TestServesAndStops(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notify-url")
	if err := os.WriteFile(file, []byte("logger://\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, []string{"NOTIFY_URL_FILE=" + file, "DOCKER_HOST=unix://" + filepath.Join(t.TempDir(), "none")})
	for _, test := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"version":"4","status":"firing","later":1,"alerts":[{"status":"firing","labels":{"alertname":"A"}}]}`, 200, `{"told":1}`},
		{`{"version":"5","alerts":[{}]}`, 400, `version \"5\" (4 is known)`},
		{`{"version":"4"}`, 400, "with 0 alerts"},
		{`nothing`, 400, "is not a notification of Alertmanager"},
	} {
		if status, said := p.Ask("POST", "/notify", test.body); status != test.status || !strings.Contains(said, test.says) {
			t.Errorf("%s: %d %s", test.body, status, said)
		}
	}
	told := p.Metrics()
	for _, line := range []string{`alerts_notifications_total{kind="logger",result="told"} 1`, `alerts_notifications_total{kind="logger",result="failed"} 0`, "swarm_up 0"} {
		if !strings.Contains(told, line) {
			t.Errorf("/metrics lacks %s:\n%s", line, told)
		}
	}
	if said := p.Said(); strings.Count(said, "the Swarm is not watched until its manager answers") != 1 {
		t.Errorf("it says %s", said)
	}
	if code := p.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

func TestRefusesToStart(t *testing.T) {
	const token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	for _, test := range []struct {
		env  []string
		says string
	}{
		{nil, "nobody would hear of an alert: set NOTIFY_URL"},
		{[]string{"NOTIFY_URL=logger://", "NOTIFY_URL_FILE=/x"}, "keep one of the two"},
		{[]string{"NOTIFY_URL_FILE=/does/not/exist"}, "(NOTIFY_URL_FILE): open /does/not/exist"},
		{[]string{"NOTIFY_URL=logger://,telegram://" + token + "@telegram"}, "address 2 of NOTIFY_URL is not understood"},
		{[]string{"NOTIFY_URL=" + token}, "address 1 of NOTIFY_URL is not understood"},
		{[]string{"NOTIFY_URL=logger://", "DOCKER_HOST=ssh://anna@example.com"}, "write unix:///var/run/docker.sock"},
	} {
		code, said := processtest.Run(t, test.env)
		if code != 1 || !strings.Contains(said, test.says) || strings.Contains(said, "AAHdqTcv") {
			t.Errorf("%v: exit code %d, %s", test.env, code, said)
		}
	}
}
