package logs

import (
	"context"
	"fmt"
	"sync"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/live"
	"slipway/report/foreign"
)

// names gives tasks' names for people. Tasks that come to be while logs are followed are asked
// for one by one.
type names struct {
	docker *client.Client
	stack  string
	keys   map[string]string // of services, by id
	hosts  map[string]string // of nodes, by id

	mu    sync.Mutex
	known map[string]string // by task
}

func newNames(ctx context.Context, docker *client.Client, stack string, services []swarm.Service, nodes []swarm.Node) (*names, error) {
	n := &names{docker: docker, stack: stack, keys: map[string]string{}, hosts: map[string]string{}, known: map[string]string{}}
	filter := make(client.Filters)
	for _, s := range services {
		n.keys[s.ID] = live.Key(stack, s.Spec)
		filter.Add("service", s.ID)
	}
	for _, node := range nodes {
		n.hosts[node.ID] = node.Description.Hostname
	}
	got, err := docker.TaskList(ctx, client.TaskListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("listing the tasks of %s: %w", stack, err)
	}
	for _, t := range got.Items {
		n.known[t.ID] = n.name(t)
	}
	return n, nil
}

// name is "KEY.SLOT.ID@NODE"; a task of a service that runs on every node has no slot.
func (n *names) name(t swarm.Task) string {
	id := t.ID[:min(len(t.ID), 12)]
	out := n.keys[t.ServiceID]
	if t.Slot > 0 {
		out += fmt.Sprintf(".%d", t.Slot)
	}
	out += "." + id
	if host := n.hosts[t.NodeID]; host != "" {
		out += "@" + host
	}
	return foreign.Line(out)
}

func (n *names) of(ctx context.Context, m message) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, ok := n.known[m.task]; ok {
		return name
	}
	name := foreign.Line(m.task[:min(len(m.task), 12)])
	if got, err := n.docker.TaskInspect(ctx, m.task, client.TaskInspectOptions{}); err == nil && m.task != "" {
		got.Task.NodeID = m.node
		name = n.name(got.Task)
	}
	n.known[m.task] = name
	return name
}

// width is that of the longest name so far, for columns.
func (n *names) width() (w int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.known {
		w = max(w, len([]rune(name)))
	}
	return w
}
