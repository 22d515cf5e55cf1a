package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/deploy/collect"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/remote"
)

// remove takes away the services and networks that the manifest no longer has, after the new
// ones run.
func (r *run) remove(ctx context.Context) error {
	for _, kind := range []diff.Kind{diff.ServiceKind, diff.NetworkKind} {
		for _, op := range r.plan.Operations {
			if op.Action != diff.Remove || op.Kind != kind {
				continue
			}
			if err := r.held.Check(ctx); err != nil {
				return err
			}
			task := r.Report.Start(fmt.Sprintf("removing %s %s", op.Kind, op.Name))
			var err error
			if kind == diff.ServiceKind {
				err = r.removeService(ctx, op.ID, op.Name)
			} else {
				err = r.removeNetwork(ctx, op.ID, op.Name)
			}
			task.Done(err)
			if err != nil {
				return fmt.Errorf("removing %s %s: %w", op.Kind, op.Name, err)
			}
			r.verdict.Removed = append(r.verdict.Removed, fmt.Sprintf("%s %s", op.Kind, op.Name))
		}
	}
	return nil
}

// removeNetwork waits for tasks that are on their way off the network: Swarm refuses to remove
// one in use.
func (r *run) removeNetwork(ctx context.Context, id, name string) error {
	return remote.Retry(ctx, r.ends, func() error {
		var last error
		err := r.until(ctx, "nobody uses the network "+name, func() (bool, error) {
			_, last = r.Docker.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
			if last == nil || errdefs.IsNotFound(last) {
				return true, nil
			}
			if strings.Contains(last.Error(), "in use") || strings.Contains(last.Error(), "active endpoints") {
				return false, nil
			}
			return false, last
		})
		return err
	})
}

// collect tidies up after a deploy that went well. That it fails is no failure of the deploy.
func (r *run) collect(ctx context.Context) {
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		r.verdict.Warnings = append(r.verdict.Warnings, fmt.Sprintf("what is no longer used was not collected: %v", err))
		return
	}
	removed, warnings := collect.Run(ctx, r.Docker, collect.Find(state, r.Want.Name, max(r.Keep, 1)))
	r.verdict.Collected, r.verdict.Warnings = removed, append(r.verdict.Warnings, warnings...)
}
