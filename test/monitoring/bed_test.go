package monitoring

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"slipway/test/child"
	"slipway/test/slipwaycmd"
)

var (
	binary   *slipwaycmd.Binary
	services string // the directory with the sample services, compiled
)

func TestMain(m *testing.M) {
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (int, error) {
	var err error
	if binary, err = slipwaycmd.Compile(); err != nil {
		return 1, err
	}
	defer binary.Remove()
	if services, err = os.MkdirTemp("", "slipway-services-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(services) }()
	cmd := exec.Command("go", "build", "-o", services+"/", "./ping", "./backend", "./alerts")
	cmd.Dir, cmd.Env = filepath.Join(home, "services"), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("compiling the sample services: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// start runs a program until the test ends, with these variables alone, and shows what it said if
// the test fails.
func start(t *testing.T, env []string, name string, args ...string) *child.Buffer {
	t.Helper()
	said := new(child.Buffer)
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = env, said, said, t.TempDir()
	p, err := child.Start(cmd, nil)
	must(t, err)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), said)
		}
	})
	return said
}

// service runs a sample service, and tells where it listens and where Prometheus asks.
func service(t *testing.T, name string, env ...string) (addr, metrics string) {
	t.Helper()
	said := start(t, append(env, "HTTP_ADDR=127.0.0.1:0", "METRICS_ADDR=127.0.0.1:0", "VERSION=20240725_4605cc6e"), filepath.Join(services, name))
	await(t, name+" to listen", func() string {
		for line := range strings.Lines(said.String()) {
			var entry struct{ Msg, Addr string }
			_ = json.Unmarshal([]byte(line), &entry)
			switch entry.Msg {
			case "listening":
				addr = entry.Addr
			case "serving metrics":
				metrics = entry.Addr
			}
		}
		return missing(addr == "", "it does not listen")
	})
	return addr, metrics
}

// freePort is an address that nobody listens on: these daemons do not say which they chose.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// prometheusFile is the environment's, for addresses by job in place of Docker's DNS, and in a hurry.
func prometheusFile(t *testing.T, addresses map[string][]string, alertmanager, blackbox, visited string) string {
	t.Helper()
	var c map[string]any
	load(t, file("prometheus", "prometheus.yml"), &c)
	c["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	c["rule_files"] = []string{file("prometheus", "rules.yml")}
	c["alerting"] = map[string]any{"alertmanagers": []any{map[string]any{"static_configs": targets(alertmanager)}}}
	for _, j := range c["scrape_configs"].([]any) {
		job := j.(map[string]any)
		name := job["job_name"].(string)
		delete(job, "dns_sd_configs")
		if name == "visitor" {
			job["static_configs"] = targets(visited)
			relabel := job["relabel_configs"].([]any)
			relabel[len(relabel)-1].(map[string]any)["replacement"] = blackbox
			continue
		}
		var all []any
		for _, a := range addresses[name] {
			dns, address, named := strings.Cut(a, "@")
			if !named {
				address = a
			}
			all = append(all, map[string]any{"targets": []string{address}, "labels": map[string]string{"__meta_dns_name": "tasks." + dns}})
		}
		if all == nil {
			t.Fatalf("the test has no target for the job %s", name)
		}
		job["static_configs"] = all
	}
	return write(t, "prometheus.yml", c)
}

// alertmanagerFile is the environment's, with the receiver's address, and in a hurry.
func alertmanagerFile(t *testing.T, alerts string) string {
	t.Helper()
	var c map[string]any
	load(t, file("alertmanager", "alertmanager.yml"), &c)
	maps.Copy(c["route"].(map[string]any), map[string]any{"group_wait": "100ms", "group_interval": "1s"})
	hook := c["receivers"].([]any)[0].(map[string]any)["webhook_configs"].([]any)[0].(map[string]any)
	hook["url"] = strings.Replace(hook["url"].(string), "alerts:8080", alerts, 1)
	return write(t, "alertmanager.yml", c)
}

func targets(address string) []any { return []any{map[string]any{"targets": []string{address}}} }

func write(t *testing.T, name string, content any) string {
	t.Helper()
	data, err := yaml.Marshal(content)
	must(t, err)
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

// ask gives what Prometheus' API answers as data.
func ask(t *testing.T, prometheus, path string, query url.Values, into any) error {
	t.Helper()
	body, err := get(t, "http://"+prometheus+path+"?"+query.Encode())
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", query.Get("query"), answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

func get(t *testing.T, address string) ([]byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(bufio.NewReader(resp.Body))
}

// await asks until nothing is missing.
func await(t *testing.T, what string, missing func() string) {
	t.Helper()
	deadline, tick := time.After(3*time.Minute), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for {
		still := missing()
		if still == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waiting for %s: %s", what, still)
		case <-tick.C:
		}
	}
}

func missing(is bool, what string) string {
	if is {
		return what
	}
	return ""
}

// metricNames are those in an expression, without its labels and PromQL's own words.
func metricNames(expr string) []string {
	expr = inBraces.ReplaceAllString(grouping.ReplaceAllString(expr, ""), "")
	names := metric.FindAllString(expr, -1)
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool {
		return slices.Contains([]string{"histogram_quantile", "predict_linear", "group_left"}, n)
	})
}
