package monitoring

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/test/baseimage"
	"slipway/test/dockerd"
	"slipway/test/fakechat"
	"slipway/test/faulty"
)

var (
	inBraces = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]`)
	grouping = regexp.MustCompile(`(by|on|group_left) \([^)]*\)`)
	metric   = regexp.MustCompile(`\b(?:[a-zA-Z]+_[a-zA-Z_]+|up|ALERTS)\b`)
)

// A Swarm rolls a service back: the chat hears of it, and hears when it is over. Meanwhile all that
// the dashboard and the alerts ask for is there.
func TestFromTheSwarmToTheChat(t *testing.T) {
	t.Parallel() // it waits, for the most part
	need(t)
	const image = "alpine:3.20"
	docker := dockerd.Start(t, dockerd.Options{Mirrors: []string{baseimage.Mirror(t, image).Host}})
	docker.Init(t)
	docker.Pull(t, image)
	site := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(site.Close)
	chat := fakechat.Start(t)
	chat.TelegramToken, chat.TelegramChats = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", []string{"-100"}
	// Both chats are away at first: Alertmanager is to try again, and no alert to be lost.
	chat.Faults.Add(faulty.Fault{Path: "/sendMessage", Drop: true})
	chat.Faults.Add(faulty.Fault{Path: "/hook", Status: http.StatusBadGateway})

	// The backend has no database, so that some of its answers are errors.
	backend, backendMetrics := service(t, "backend", "DB_HOST="+t.TempDir())
	_, pingMetrics := service(t, "ping")
	alerts, alertsMetrics := service(t, "alerts", "DOCKER_HOST="+docker.Host, "HTTPS_PROXY="+chat.Proxy, "SSL_CERT_FILE="+chat.CAFile,
		"NOTIFY_URL=telegram://"+chat.TelegramToken+"@telegram?chats=-100,generic://"+chat.Host+"/hook?disabletls=yes")
	prometheus, alertmanager, blackbox, node := freePort(t), freePort(t), freePort(t), freePort(t)
	start(t, nil, "prometheus-node-exporter", "--web.listen-address="+node)
	start(t, nil, "prometheus-blackbox-exporter", "--web.listen-address="+blackbox, "--config.file="+file("blackbox", "blackbox.yml"))
	start(t, nil, "prometheus-alertmanager", "--web.listen-address="+alertmanager, "--cluster.listen-address=", "--storage.path="+t.TempDir(),
		"--config.file="+alertmanagerFile(t, alerts))
	start(t, nil, "prometheus", "--web.listen-address="+prometheus, "--storage.tsdb.path="+t.TempDir(), "--config.file="+prometheusFile(t, map[string][]string{
		"services": {"backend@" + backendMetrics, "ping@" + pingMetrics}, "alerts": {"alerts@" + alertsMetrics},
		"node-exporter": {node}, "prometheus": {prometheus}, "alertmanager": {alertmanager},
	}, alertmanager, blackbox, site.URL))

	app := newApp(t, docker, "app", image, forever)
	app.update(t, "exit 3")
	newApp(t, docker, "loop", image, "exit 3")
	heard(t, chat, "RolledBack (warning): an update of app of shop failed: rollback_completed")
	heard(t, chat, "RestartLoop (warning): loop of shop ends again and again:")

	t.Run("dashboard", func(t *testing.T) {
		for title, exprs := range dashboard(t) {
			for _, expr := range exprs {
				await(t, "what the panel "+title+" shows", func() string {
					_, _ = get(t, "http://"+backend+"/api/notes") // an error
					var data struct{ Result []json.RawMessage }
					if err := ask(t, prometheus, "/api/v1/query", url.Values{"query": {expr}}, &data); err != nil {
						return err.Error()
					}
					return missing(len(data.Result) == 0, expr+" gives nothing")
				})
			}
		}
	})
	t.Run("rules", func(t *testing.T) {
		var known []string
		must(t, ask(t, prometheus, "/api/v1/label/__name__/values", nil, &known))
		for alert, expr := range rules(t) {
			names := metricNames(expr)
			if len(names) == 0 {
				t.Errorf("%s: no metric is found in %s", alert, expr)
			}
			for _, name := range names {
				if !slices.Contains(known, name) {
					t.Errorf("%s asks for %s, and nobody tells that", alert, name)
				}
			}
		}
	})

	app.update(t, forever)
	heard(t, chat, "over: RolledBack (warning): an update of app of shop failed: rollback_completed")
	if left := chat.Faults.Left(); left > 0 {
		t.Errorf("%d faults did not strike", left)
	}
	if refused := chat.Refused(); len(refused) > 0 {
		t.Errorf("it tried to reach %v", refused)
	}
}

// heard waits until both chats were told a line.
func heard(t *testing.T, chat *fakechat.Server, line string) {
	t.Helper()
	await(t, "the chats to hear "+line, func() string {
		told := map[string]bool{}
		for _, m := range chat.Messages() {
			if strings.Contains(m.Text, line) {
				told[m.Service] = true
			}
		}
		return missing(!told["telegram"] || !told["webhook"], fmt.Sprintf("they heard %v", chat.Messages()))
	})
}

// dashboard are the questions to Prometheus of each panel, as Grafana asks them.
func dashboard(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(file("grafana", "services.json"))
	must(t, err)
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct {
				Datasource struct{ Type, UID string }
				Expr       string
			}
		}
	}
	must(t, json.Unmarshal(data, &d))
	var sources struct{ Datasources []struct{ UID, Type string } }
	load(t, file("grafana", "datasources.yml"), &sources)
	exprs := map[string][]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			if !slices.Contains(sources.Datasources, struct{ UID, Type string }{target.Datasource.UID, target.Datasource.Type}) {
				t.Errorf("panel %s: there is no data source %v", p.Title, target.Datasource)
			}
			if target.Datasource.Type == "prometheus" {
				exprs[p.Title] = append(exprs[p.Title], strings.NewReplacer("$__rate_interval", "1m", "$service", ".+").Replace(target.Expr))
			}
		}
	}
	if len(exprs) < 10 {
		t.Fatalf("the dashboard has only the panels %v", exprs)
	}
	return exprs
}

// app is a service of a stack.
type app struct {
	docker *dockerd.Daemon
	id     string
	spec   swarm.ServiceSpec
}

const forever = "trap 'exit 0' TERM; while :; do sleep 0.2; done"

func newApp(t *testing.T, d *dockerd.Daemon, name, image, command string) *app {
	t.Helper()
	grace, pause := time.Second, time.Millisecond
	a := &app{docker: d, spec: swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "shop_" + name, Labels: map[string]string{"com.docker.stack.namespace": "shop"}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: image, Command: []string{"sh", "-c", command}, StopGracePeriod: &grace},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: &pause},
		},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
		UpdateConfig: &swarm.UpdateConfig{Parallelism: 1, FailureAction: "rollback", Monitor: time.Second, MaxFailureRatio: 0},
	}}
	made, err := d.Client.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: a.spec})
	must(t, err)
	a.id = made.ID
	return a
}

// update gives it another command.
func (a *app) update(t *testing.T, command string) {
	t.Helper()
	now, err := a.docker.Client.ServiceInspect(t.Context(), a.id, client.ServiceInspectOptions{})
	must(t, err)
	a.spec.TaskTemplate.ContainerSpec.Command = []string{"sh", "-c", command}
	a.spec.TaskTemplate.ForceUpdate++
	_, err = a.docker.Client.ServiceUpdate(t.Context(), a.id, client.ServiceUpdateOptions{Version: now.Service.Version, Spec: a.spec})
	must(t, err)
}
