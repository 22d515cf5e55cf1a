package collect

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/live"
)

// look reads what a node holds. When a container has stopped is asked only where it can be long
// enough ago.
func (n Need) look(ctx context.Context, docker *client.Client, after time.Duration) (Held, error) {
	held := Held{Ended: map[string]time.Time{}}
	var eg errgroup.Group
	eg.Go(func() error {
		now, err := live.Now(ctx, docker)
		if err != nil {
			return fmt.Errorf("asking for the time there: %w", err)
		}
		held.Now = now
		return nil
	})
	eg.Go(func() error {
		got, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true})
		held.Containers = got.Items
		return err
	})
	eg.Go(func() error {
		got, err := docker.ImageList(ctx, client.ImageListOptions{})
		held.Images = got.Items
		return err
	})
	if err := eg.Wait(); err != nil {
		return held, err
	}
	return held, n.ends(ctx, docker, &held, after)
}

func (n Need) ends(ctx context.Context, docker *client.Client, held *Held, after time.Duration) error {
	var mu sync.Mutex
	var eg errgroup.Group
	eg.SetLimit(8)
	for _, c := range held.Containers {
		created := time.Unix(c.Created, 0)
		if !n.stopped(c) || held.Now.Sub(created) < after {
			continue
		}
		eg.Go(func() error {
			ended := created
			if c.State != container.StateCreated {
				got, err := docker.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
				if errdefs.IsNotFound(err) {
					return nil
				}
				if err != nil {
					return err
				}
				if ended, err = time.Parse(time.RFC3339Nano, got.Container.State.FinishedAt); err != nil || ended.Before(created) {
					return nil // not known, so it stays
				}
			}
			mu.Lock()
			defer mu.Unlock()
			held.Ended[c.ID] = ended
			return nil
		})
	}
	return eg.Wait()
}

// remove takes it from the node. What has come to be used meanwhile is refused by the daemon,
// and stays.
func (s Spent) remove(ctx context.Context, docker *client.Client) (removed, warnings []string) {
	for _, c := range s.Containers {
		_, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{})
		switch {
		case err == nil:
			removed = append(removed, "container "+c.Name)
		case errdefs.IsNotFound(err), errdefs.IsConflict(err):
		default:
			warnings = append(warnings, fmt.Sprintf("the stopped container %s could not be removed: %v", c.Name, err))
		}
	}
	for _, i := range s.Images {
		all := true
		for _, r := range i.References {
			_, err := docker.ImageRemove(ctx, r, client.ImageRemoveOptions{PruneChildren: true})
			if err != nil && !errdefs.IsNotFound(err) { // the last tag takes digests along
				all = false
				if !errdefs.IsConflict(err) {
					warnings = append(warnings, fmt.Sprintf("the unused image %s could not be removed: %v", short(r), err))
				}
			}
		}
		if all {
			removed = append(removed, "image "+short(i.References[0]))
		}
	}
	return removed, warnings
}

// short leaves the most of a digest out.
func short(r string) string {
	if name, sum, ok := strings.Cut(r, "@sha256:"); ok && len(sum) > 12 {
		return name + "@" + sum[:12]
	}
	return r
}
