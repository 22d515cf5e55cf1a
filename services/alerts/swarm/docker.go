// Package swarm tells Prometheus how a Swarm is: what runs of each service, how its last update
// went, what ended by itself, and which nodes are there.
package swarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Docker is a manager's daemon. It is only ever asked with GET.
type Docker struct {
	client *http.Client
	base   string
}

// NewDocker is the daemon of a DOCKER_HOST: "unix:///PATH" or "tcp://HOST:PORT" without TLS (a
// proxy that lets only questions through, say).
func NewDocker(host string) (*Docker, error) {
	u, err := url.Parse(host)
	if err != nil || u.Scheme != "unix" && u.Scheme != "tcp" || u.Host+u.Path == "" {
		return nil, fmt.Errorf("the DOCKER_HOST %q is not understood; write unix:///var/run/docker.sock or tcp://HOST:PORT", host)
	}
	d := &Docker{base: "http://" + u.Host, client: &http.Client{Transport: &http.Transport{MaxIdleConns: 2}}}
	if u.Scheme == "unix" {
		d.base = "http://docker"
		d.client.Transport = &http.Transport{MaxIdleConns: 2, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", u.Path)
		}}
	}
	return d, nil
}

// Service is Docker's, as far as it is told
// (https://docs.docker.com/reference/api/engine/version/v1.41/, the first with ServiceStatus).
type Service struct {
	ID   string
	Spec struct {
		Name   string
		Labels map[string]string
		Mode   struct{ ReplicatedJob, GlobalJob *struct{} }
	}
	UpdateStatus  struct{ State string }
	ServiceStatus struct{ RunningTasks, DesiredTasks float64 }
}

// Task is one run of a service.
type Task struct {
	ID, ServiceID string
	Status        struct{ State string }
}

// Node is a machine of the Swarm.
type Node struct {
	ID            string // one that left and came back is there twice, with one host name
	Description   struct{ Hostname string }
	Spec          struct{ Role, Availability string }
	Status        struct{ State string }
	ManagerStatus *struct{ Reachability string }
}

// State is what there is.
type State struct {
	Services []Service
	Tasks    []Task
	Nodes    []Node
}

// State asks for it.
func (d *Docker) State(ctx context.Context) (s State, err error) {
	for _, q := range []struct {
		path string
		into any
	}{{"/services?status=true", &s.Services}, {"/tasks", &s.Tasks}, {"/nodes", &s.Nodes}} {
		if err := d.get(ctx, q.path, q.into); err != nil {
			return State{}, err
		}
	}
	return s, nil
}

func (d *Docker) get(ctx context.Context, path string, into any) error {
	// Without a version, which is the daemon's newest: old ones are refused at some time, and what
	// is read here has not changed.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
	if err != nil {
		return fmt.Errorf("asking Docker for %s: %w", path, err)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return fmt.Errorf("asking Docker for %s: %w", path, err)
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("asking Docker for %s: it answers %s: %s", path, response.Status, strings.TrimSpace(string(said)))
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("reading Docker's answer for %s: %w", path, err)
	}
	return nil
}

// timeout bounds all that is asked for one scrape; Prometheus' own is 10 seconds.
const timeout = 8 * time.Second
