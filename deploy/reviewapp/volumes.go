package reviewapp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/deploy/remote"
)

// patience bounds the wait for the last containers to let go of a volume.
const patience = 30 * time.Second

// Volumes removes a stack's volumes from all nodes, once its services are gone. The error names
// the nodes where some may be left, and what to do.
func Volumes(ctx context.Context, state *live.State, stack string, docker func(context.Context, swarm.Node) (*client.Client, error)) (removed []string, err error) {
	if !hasVolumes(state, stack) {
		return nil, nil
	}
	each, errs := make([][]string, len(state.Nodes)), make([]error, len(state.Nodes))
	var eg errgroup.Group
	eg.SetLimit(8)
	for i, node := range state.Nodes {
		eg.Go(func() error {
			each[i], errs[i] = onNode(ctx, node, stack, docker)
			return nil
		})
	}
	_ = eg.Wait()
	return slices.Concat(each...), errors.Join(errs...)
}

// hasVolumes tells whether a recorded release of a stack has volumes of its own. Where a record
// cannot be read, it may.
func hasVolumes(state *live.State, stack string) bool {
	entries, unreadable := release.Entries(state.Configs, stack)
	for _, e := range entries {
		for _, s := range e.Want.Services {
			if slices.ContainsFunc(s.Spec.TaskTemplate.ContainerSpec.Mounts, func(m mount.Mount) bool {
				return m.Type == mount.TypeVolume && m.VolumeOptions != nil && m.VolumeOptions.Labels[convert.LabelNamespace] == stack
			}) {
				return true
			}
		}
	}
	return len(unreadable) > 0
}

func onNode(ctx context.Context, node swarm.Node, stack string, connect func(context.Context, swarm.Node) (*client.Client, error)) (removed []string, err error) {
	host := node.Description.Hostname
	left := func(why string) error {
		return fmt.Errorf("volumes of %s may be left on %s, %s: remove them there with: docker volume ls -q -f label=%s=%s | xargs -r docker volume rm. Its record stays, so that the next attempt goes on", stack, host, why, convert.LabelNamespace, stack)
	}
	if node.Status.State != swarm.NodeStateReady {
		return nil, left("which is " + string(node.Status.State) + " (a node that is gone for good is forgotten with: docker node rm --force " + host + ")")
	}
	docker, err := connect(ctx, node)
	switch {
	case errors.Is(err, remote.ErrNotPinned):
		return nil, left("where no SSH host key is pinned (SSH_KNOWN_HOSTS)")
	case errors.Is(err, remote.ErrNotOverSSH):
		return nil, left("and other nodes are reached through a server over SSH only")
	case err != nil:
		return nil, left("which cannot be reached: " + err.Error())
	}
	got, err := docker.VolumeList(ctx, client.VolumeListOptions{Filters: make(client.Filters).Add("label", convert.LabelNamespace+"="+stack)})
	if err != nil {
		return nil, left("whose volumes cannot be listed: " + err.Error())
	}
	ends := time.Now().Add(patience)
	for _, v := range got.Items {
		for {
			_, err := docker.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			if err == nil || errdefs.IsNotFound(err) {
				removed = append(removed, "volume "+v.Name+" on "+host)
				break
			}
			if !strings.Contains(err.Error(), "in use") || time.Now().After(ends) {
				return removed, left("since one cannot be removed: " + err.Error())
			}
			select {
			case <-ctx.Done():
				return removed, context.Cause(ctx)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return removed, nil
}
