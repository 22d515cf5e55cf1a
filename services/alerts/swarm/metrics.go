package swarm

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	byService = []string{"stack", "service"}

	up      = prometheus.NewDesc("swarm_up", "1 where the Swarm's manager answered.", nil, nil)
	desired = prometheus.NewDesc("swarm_service_tasks_desired", "Tasks that a service should have; jobs have none here.", byService, nil)
	running = prometheus.NewDesc("swarm_service_tasks_running", "Tasks of a service that run; jobs have none here.", byService, nil)
	endings = prometheus.NewDesc("swarm_service_tasks_ended_total", "Tasks that failed, were rejected, or completed though they are no job's.", byService, nil)
	update  = prometheus.NewDesc("swarm_service_update_state", "1, with the state of a service's last update.", append(byService, "state"), nil)
	ready   = prometheus.NewDesc("swarm_node_ready", "1 where a node is ready, and reachable if it is a manager.", []string{"node", "id", "role", "availability"}, nil)
)

// Metrics ask the Swarm whenever Prometheus asks them.
type Metrics struct {
	docker *Docker
	log    *slog.Logger

	mu     sync.Mutex
	ended  ended
	broken bool // the last time, so that it is logged once
}

var _ prometheus.Collector = (*Metrics)(nil)

// NewMetrics tells of docker's Swarm.
func NewMetrics(docker *Docker, log *slog.Logger) *Metrics { return &Metrics{docker: docker, log: log} }

// Describe says what there is.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, desired, running, endings, update, ready} {
		out <- d
	}
}

// Collect says how it stands.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	state, err := m.docker.State(ctx)
	if err != nil {
		if !m.broken {
			m.log.WarnContext(ctx, "the Swarm is not watched until its manager answers", "error", err)
		}
		m.broken = true
		out <- gauge(up, 0)
		return
	}
	m.broken = false
	out <- gauge(up, 1)
	tell(state, m.ended.update(state.Services, state.Tasks), out)
}

// tell words a state.
func tell(state State, counts map[string]float64, out chan<- prometheus.Metric) {
	for i := range state.Services {
		s := &state.Services[i]
		stack := s.Spec.Labels["com.docker.stack.namespace"]
		name := strings.TrimPrefix(s.Spec.Name, stack+"_")
		if !s.job() {
			out <- gauge(desired, s.ServiceStatus.DesiredTasks, stack, name)
			out <- gauge(running, s.ServiceStatus.RunningTasks, stack, name)
		}
		out <- prometheus.MustNewConstMetric(endings, prometheus.CounterValue, counts[s.ID], stack, name)
		if s.UpdateStatus.State != "" {
			out <- gauge(update, 1, stack, name, s.UpdateStatus.State)
		}
	}
	for i := range state.Nodes {
		n := &state.Nodes[i]
		there := 0.0
		if n.Status.State == "ready" && (n.ManagerStatus == nil || n.ManagerStatus.Reachability == "reachable") {
			there = 1
		}
		out <- gauge(ready, there, n.Description.Hostname, n.ID, n.Spec.Role, n.Spec.Availability)
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
