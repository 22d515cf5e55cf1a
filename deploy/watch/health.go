package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// glance bounds a question to a daemon about one container: a verdict does not wait for more.
const glance = 2 * time.Second

// unhealthy reads what a container's health checks said, at the moment they have failed.
func (e *evidence) unhealthy(ctx context.Context, task, container string) {
	lines := checks(ctx, e.docker, container)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(lines) > 0 {
		e.health[task] = lines
	}
}

// checks is what a container's last health checks said, if the very last one failed.
func checks(ctx context.Context, docker *client.Client, container string) (lines []string) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	got, err := docker.ContainerInspect(ctx, container, client.ContainerInspectOptions{})
	if err != nil || got.Container.State == nil || got.Container.State.Health == nil {
		return nil
	}
	log := got.Container.State.Health.Log
	if len(log) == 0 || log[len(log)-1].ExitCode == 0 {
		return nil
	}
	for _, r := range log[max(0, len(log)-3):] {
		lines = append(lines, fmt.Sprintf("exit code %d: %s", r.ExitCode, harmless(strings.Join(strings.Fields(r.Output), " "), 300)))
	}
	return lines
}

// examine enters what the health checks of an ended task said, and tells whether they failed.
// One that was stopped as unhealthy and then ended with exit code 0 does not show it itself.
func (e *evidence) examine(ctx context.Context, r *Reason, t swarm.Task, node swarm.Node, container string) (sick bool) {
	e.mu.Lock()
	r.Health = e.health[t.ID]
	e.mu.Unlock()
	if r.Health == nil && container != "" {
		r.Health = checks(ctx, e.docker, container)
	}
	if r.Health != nil {
		return true
	}
	sick = strings.Contains(r.TaskError, "unhealthy")
	if c := t.Spec.ContainerSpec; c == nil || c.Healthcheck == nil || !sick && t.Status.State != swarm.TaskStateComplete {
		return sick
	}
	lines, err := e.elsewhere(ctx, node, container)
	if err != nil {
		lines = []string{fmt.Sprintf("not known: the container ran on %s, and only that node's daemon has what its checks said", cmp.Or(r.Node, "another node"))}
	}
	r.Health = lines
	return sick || err == nil && lines != nil
}

// elsewhere asks the daemon of the container's own node.
func (e *evidence) elsewhere(ctx context.Context, node swarm.Node, container string) ([]string, error) {
	if e.node == nil {
		return nil, errors.New("no other node is reached")
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	docker, err := e.node(ctx, node)
	if err != nil {
		return nil, err
	}
	return checks(ctx, docker, container), nil
}
