package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"slipway/progress"
)

// Look judges services once, without waiting.
func Look(ctx context.Context, docker *client.Client, goals []Goal) ([]Outcome, error) {
	w := &watcher{
		docker: docker, goals: goals, o: Options{Report: progress.Discard(), Timeout: time.Second},
		began: time.Now(), ends: time.Now().Add(time.Second), shown: map[string]*shown{}, evidence: newEvidence(docker, nil),
	}
	out, err := w.read(ctx)
	for i := range out {
		if out[i].State == Waiting {
			out[i].Reason = w.evidence.pending(ctx, goals[i], fmt.Sprintf("%d of %d tasks run as they should", out[i].Running, out[i].Wanted))
		}
	}
	return out, err
}
