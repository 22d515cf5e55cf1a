package reviewapp

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
)

// Now is the Swarm's time: that of the manager which is asked.
func Now(ctx context.Context, docker *client.Client) (time.Time, error) {
	now, err := live.Now(ctx, docker)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking the Swarm for its time: %w", err)
	}
	return now, nil
}

// Renew puts an app's end off after a deploy that had nothing to write. It holds the app's lock,
// so that it is not removed at the same time.
func Renew(ctx context.Context, docker *client.Client, stack string, expires time.Time, who lock.Owner, o lock.Options) error {
	held, err := lock.Acquire(ctx, docker, stack, who, o)
	if err != nil {
		return err
	}
	defer held.LetGo(ctx)
	state, err := live.Read(ctx, docker)
	if err != nil {
		return err
	}
	entries, _ := release.Entries(state.Configs, stack)
	if len(entries) == 0 || entries[0].Review == nil {
		return fmt.Errorf("the review app %s was removed in the meantime: deploy it again", stack)
	}
	return entries[0].Renew(ctx, docker, expires)
}
