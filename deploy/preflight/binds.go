package preflight

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/placement"
)

// bindPatience bounds what is asked of all nodes together.
const bindPatience = 5 * time.Second

// Binds looks on the nodes for the sources of bind mounts: a node refuses a task whose source is
// not there, again and again. node gives a node's daemon; one that cannot be reached may have
// them. What no node has is an error, what some lack a warning.
func Binds(ctx context.Context, state *live.State, want *convert.Stack, plan *diff.Plan, node func(context.Context, swarm.Node) (*client.Client, error)) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, bindPatience)
	defer cancel()
	var errs []error
	for _, s := range want.Services {
		if !starts(plan, s) {
			continue
		}
		fits := placement.Fits(s.Spec.TaskTemplate.Placement, state.Nodes)
		for _, source := range bindSources(s) {
			var lack []string
			for _, n := range fits {
				if docker, err := node(ctx, n); err == nil && missing(ctx, docker, source) {
					lack = append(lack, n.Description.Hostname)
				}
			}
			switch {
			case len(lack) == 0:
			case len(lack) == len(fits):
				errs = append(errs, fmt.Errorf("service %s mounts %s, which is not there on %s, and a node starts no task whose bind mount it lacks: create it there first", s.Key, source, strings.Join(lack, ", ")))
			default:
				warnings = append(warnings, fmt.Sprintf("service %s mounts %s, which is not there on %s: a task that the Swarm places there is refused. Create it there, or pin the service with deploy.placement.constraints", s.Key, source, strings.Join(lack, ", ")))
			}
		}
	}
	return warnings, errors.Join(errs...)
}

// starts tells whether a plan starts tasks of a service.
func starts(plan *diff.Plan, s convert.Service) bool {
	for _, op := range plan.Operations {
		if op.Kind == diff.ServiceKind && op.Name == s.Spec.Name {
			return tasks(s) > 0 && (op.Action == diff.Create || op.Action == diff.Replace || op.Action == diff.Update && op.Restarts)
		}
	}
	return false
}

// bindSources are the paths on the node that have to be there. One with a template is known to
// the node alone.
func bindSources(s convert.Service) (out []string) {
	c := s.Spec.TaskTemplate.ContainerSpec
	if c == nil {
		return nil
	}
	for _, m := range c.Mounts {
		made := m.BindOptions != nil && m.BindOptions.CreateMountpoint
		if m.Type == mount.TypeBind && !made && !strings.Contains(m.Source, "{{") {
			out = append(out, m.Source)
		}
	}
	return out
}

// missing asks a daemon to create a container of no image. It looks at mounts before images
// (daemon/create.go: containerCreate), so that it refuses for the mount where that cannot be,
// and makes nothing either way.
func missing(ctx context.Context, docker *client.Client, source string) bool {
	_, err := docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: "slipway.invalid/none:none"},
		HostConfig: &container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeBind, Source: source, Target: "/mnt"}}},
	})
	return err != nil && strings.Contains(err.Error(), "bind source path does not exist")
}
