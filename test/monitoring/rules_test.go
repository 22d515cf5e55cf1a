// Package monitoring tests the environment "monitoring" with Debian's Prometheus, Alertmanager and
// exporters: what its files say, and an alert's way from a Swarm to a chat.
package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"slipway/test/aptget"
)

var home = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}()

// file is one of the environment's.
func file(elem ...string) string {
	return filepath.Join(append([]string{home, "manifests", "monitoring"}, elem...)...)
}

// need installs what the tests run.
func need(t *testing.T) {
	t.Helper()
	for command, pkg := range map[string]string{
		"promtool": "prometheus", "amtool": "prometheus-alertmanager",
		"prometheus-node-exporter": "prometheus-node-exporter", "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
	} {
		aptget.Need(t, command, pkg)
	}
}

func TestTheManifestHasNoFindings(t *testing.T) {
	binary.Start(t, home, []string{"REGISTRY=registry.example.com"}, "deploy:lint", "monitoring").Wait(t, time.Minute).Exits(t, 0).Says(t, "can be deployed: 8 services, 0 warnings")
}

func TestPrometheusAndAlertmanagerTakeTheirFiles(t *testing.T) {
	need(t)
	for _, command := range [][]string{
		{"promtool", "check", "config", file("prometheus", "prometheus.yml")}, // and the rules that it names
		{"amtool", "check-config", file("alertmanager", "alertmanager.yml")},
		{"prometheus-blackbox-exporter", "--config.check", "--config.file=" + file("blackbox", "blackbox.yml")},
		{"promtool", "test", "rules", "testdata/alerts.yml"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", command, err, out)
		}
	}
}

// rules are those of the environment, by their alerts' names.
func rules(t *testing.T) map[string]string {
	t.Helper()
	var all struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	load(t, file("prometheus", "rules.yml"), &all)
	exprs := map[string]string{}
	for _, g := range all.Groups {
		for _, r := range g.Rules {
			exprs[r.Alert] = r.Expr
		}
	}
	return exprs
}

func TestEachAlertFiresAndDoesNot(t *testing.T) {
	var all struct {
		Tests []struct {
			Cases []struct {
				Alert  string `yaml:"alertname"`
				Firing []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	load(t, "testdata/alerts.yml", &all)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range all.Tests {
		for _, c := range test.Cases {
			fires[c.Alert] = fires[c.Alert] || len(c.Firing) > 0
			quiet[c.Alert] = quiet[c.Alert] || len(c.Firing) == 0
		}
	}
	for alert := range rules(t) {
		if !fires[alert] || !quiet[alert] {
			t.Errorf("%s: testdata/alerts.yml has it firing: %v, and not firing: %v", alert, fires[alert], quiet[alert])
		}
	}
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, yaml.Unmarshal(data, into))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
