package monitoring

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"slipway/test/dockerd"
	"slipway/test/gitrepo"
	"slipway/test/registry"
	"slipway/test/slipwaycmd"
)

const tag = "20240725_4605cc6e"

// prod is as much of it as is watched here.
const prod = `services:
  backend:
    image: ${REGISTRY}/backend:` + tag + `
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 500ms}}
  ping:
    image: ${REGISTRY}/ping:` + tag + `
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 500ms}, replicas: 2}
`

// overrides are what a test machine lacks (no IPVS in the kernel: no virtual IPs; a / that is not
// shared, as systemd makes it), where Docker is here, quicker health checks, and no images from
// elsewhere.
const overrides = `x-test: &test {endpoint_mode: dnsrr, update_config: {monitor: 500ms}}
x-quick: &quick {interval: 500ms}
services:
  prometheus: {deploy: *test, healthcheck: *quick}
  alertmanager: {deploy: *test, healthcheck: *quick}
  alerts:
    deploy: *test
    healthcheck: *quick
    volumes: ["SOCKET:/var/run/docker.sock"]
  blackbox: {deploy: *test, healthcheck: *quick}
  node-exporter:
    deploy: *test
    healthcheck: *quick
    volumes: !override ["/proc:/host/proc:ro", "/sys:/host/sys:ro"]
  grafana: !reset null
  loki: !reset null
  alloy: !reset null
secrets:
  project-monitoring-grafana-passwd: !reset null
  project-monitoring-grafana-crt: !reset null
  project-monitoring-grafana-key: !reset null
`

// The stack, deployed beside prod: Prometheus finds, through Docker's DNS, all that it is to ask.
func TestTheStackWatchesProd(t *testing.T) {
	t.Parallel() // it waits, for the most part
	need(t)
	images := registry.Start(t, registry.Options{Dir: t.TempDir()}) // in memory it is slow with layers of this size
	text := read(t, filepath.Join(home, "manifests", "docker-compose.monitoring.yaml"))
	pushOfficial(t, images.Host, text)
	pushServices(t, images.Host, tag)
	docker := dockerd.Start(t, dockerd.Options{Mirrors: []string{images.Host}, InsecureRegistries: []string{images.Host}})
	docker.Init(t)

	repo, socket := gitrepo.New(t), strings.TrimPrefix(docker.Host, "unix://")
	must(t, os.CopyFS(filepath.Join(repo.Dir, "manifests", "monitoring"), os.DirFS(file())))
	inAHurry := strings.NewReplacer("_interval: 15s", "_interval: 1s", "type: A,", "type: A, refresh_interval: 1s,")
	repo.Write("manifests/monitoring/prometheus/prometheus.yml", inAHurry.Replace(read(t, file("prometheus", "prometheus.yml"))))
	repo.Write("manifests/docker-compose.monitoring.yaml", text)
	repo.Write("manifests/docker-compose.prod.yaml", prod)
	repo.Write("manifests/test.yaml", strings.Replace(overrides, "SOCKET", socket, 1))
	repo.Write("slipway.yaml", "project: shop\nenvironments: {monitoring: {overrides: [manifests/test.yaml], mounts: ["+socket+", \"/:ro\"]}}\n")
	repo.Commit("Start", gitrepo.Epoch)
	slipway := func(args ...string) slipwaycmd.Result {
		t.Helper()
		env := []string{"SERVER_HOST=local", "DOCKER_HOST=" + docker.Host, "REGISTRY=" + images.Host, "TAG=" + tag, "NOTIFY_URL=logger://"}
		return binary.Start(t, repo.Dir, env, args...).Wait(t, 5*time.Minute)
	}
	slipway("deploy:env", "prod").Exits(t, 0)
	slipway("secret:set", "monitoring", "project-monitoring-notify-url", "-env=NOTIFY_URL").Exits(t, 0)
	slipway("deploy:env", "monitoring").Exits(t, 0).Says(t, "shop_monitoring release 1: done")

	prometheus := task(t, docker, "shop_monitoring_prometheus")
	query := func(expr string) (found []string) {
		t.Helper()
		address := "http://127.0.0.1:9090/api/v1/query?query=" + strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", " ", "%20", "=", "%3D").Replace(expr)
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  []any
				}
			}
		}
		must(t, json.Unmarshal([]byte(docker.Exec(t, prometheus, "wget", "-qO-", address)), &answer))
		for _, r := range answer.Data.Result {
			found = append(found, fmt.Sprintf("%s %s %v", r.Metric["job"], r.Metric["service"], r.Value[1]))
		}
		slices.Sort(found)
		return found
	}
	for what, want := range map[string]string{
		`count by (job, service) (up{job="services"} == 1)`:              "[services backend 1 services ping 2]",
		`count by (job) (up{job="alerts"} == 1)`:                         "[alerts  1]",
		`count by (job) (up{job="node-exporter"} == 1)`:                  "[node-exporter  1]",
		`count by (job) (up{job="alertmanager"} == 1)`:                   "[alertmanager  1]",
		`swarm_service_tasks_running{stack="shop_prod", service="ping"}`: "[alerts ping 2]",
		`prometheus_notifications_alertmanagers_discovered`:              "[prometheus  1]",
		`count(node_filesystem_size_bytes{mountpoint="/"})`:              "[  1]",
		`count(probe_success)`:                                           "[  1]",
	} {
		await(t, what, func() string {
			found := query(what)
			return missing(fmt.Sprint(found) != want, fmt.Sprintf("found %v, want %s", found, want))
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// task is the container of a service's task.
func task(t *testing.T, d *dockerd.Daemon, service string) string {
	t.Helper()
	found, err := d.Client.ContainerList(t.Context(), client.ContainerListOptions{Filters: make(client.Filters).Add("label", "com.docker.swarm.service.name="+service)})
	must(t, err)
	if len(found.Items) != 1 {
		t.Fatalf("%s has %d containers", service, len(found.Items))
	}
	return found.Items[0].ID
}
