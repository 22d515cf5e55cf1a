package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

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

// removeNetwork waits for tasks that are on their way off the network, since Swarm refuses to
// remove one in use, and then until it is gone: the daemon lists it for a moment longer.
func (r *run) removeNetwork(ctx context.Context, id, name string) error {
	return remote.RetryTold(ctx, r.ends, r.Report, func() error {
		return r.until(ctx, "the network "+name+" is gone", func() (bool, error) {
			_, err := r.Docker.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
			switch {
			case err == nil, errdefs.IsNotFound(err), strings.HasSuffix(err.Error(), "not found"): // the last is Docker 20.10's
			case strings.Contains(err.Error(), "in use"), strings.Contains(err.Error(), "active endpoints"):
				return false, nil
			default:
				return false, err
			}
			left, err := r.Docker.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("id", id)})
			return len(left.Items) == 0, err
		})
	})
}

// collect removes what the release no longer needs. That it fails is no failure of the deploy.
// It comes before the record says that all is done: a deploy that is killed in the middle of it
// is gone on with by the next one, and nothing is left over.
func (r *run) collect(ctx context.Context) *live.State {
	state, err := live.Read(ctx, r.Docker)
	if err != nil {
		r.verdict.Warnings = append(r.verdict.Warnings, fmt.Sprintf("what is no longer used was not collected: %v", err))
		return nil
	}
	state.Configs = r.entry.AsDone(state.Configs)
	removed, warnings := collect.Run(ctx, r.Docker, collect.Find(state, r.Want.Name, r.keep()))
	r.verdict.Collected, r.verdict.Warnings = append(r.verdict.Collected, removed...), append(r.verdict.Warnings, warnings...)
	return state
}

func (r *run) keep() int { return max(r.Keep, 1) }

// tidying bounds the collection on all nodes, while the lock is held.
const tidying = time.Minute

// sweep removes stopped containers and unused images from the nodes.
func (r *run) sweep(ctx context.Context, state *live.State) collect.Swept {
	if state == nil || r.Node == nil || r.CollectAfter < 0 {
		return collect.Swept{}
	}
	ctx, cancel := context.WithTimeout(ctx, tidying)
	defer cancel()
	task := r.Report.Start("collecting what the nodes no longer need")
	swept := collect.Sweep(ctx, state, collect.Needed(state, r.Want.Name, r.keep()), r.CollectAfter, r.Node)
	for _, line := range swept.Removed {
		task.Log("removed " + line)
	}
	task.Done(nil)
	return swept
}
