package watch

import (
	"context"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
)

// signs are reasons to look: that an update has ended, which may be the last thing that was
// waited for, and any, that one included.
type signs struct{ ended, any chan struct{} }

func (s *signs) give(ended bool) {
	for _, ch := range []chan struct{}{s.any, s.ended} {
		select {
		case ch <- struct{}{}:
		default: // there is one already
		}
		if !ended {
			return
		}
	}
}

// follow gives a sign for each event of a service, or of a container on the manager's own
// node. A stream that ends is opened again.
func (w *watcher) follow(ctx context.Context) *signs {
	signs := &signs{ended: make(chan struct{}, 1), any: make(chan struct{}, 1)}
	go func() {
		for ctx.Err() == nil {
			stream := w.docker.Events(ctx, client.EventsListOptions{Filters: make(client.Filters).Add("type", "service", "container")})
			w.listen(ctx, stream, signs)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	return signs
}

func (w *watcher) listen(ctx context.Context, stream client.EventsResult, signs *signs) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-stream.Err: //nolint:errcheck // whatever ended it, it is opened again
			return
		case m := <-stream.Messages:
			if m.Type == events.ContainerEventType {
				if !w.ours(m.Actor.Attributes["com.docker.swarm.service.id"]) || strings.HasPrefix(string(m.Action), "exec_") {
					continue
				}
				if strings.HasSuffix(string(m.Action), "unhealthy") {
					w.evidence.unhealthy(ctx, m.Actor.Attributes["com.docker.swarm.task.id"], m.Actor.ID)
				}
			}
			signs.give(m.Type == events.ServiceEventType && over(m.Actor.Attributes["updatestate.new"]))
		}
	}
}

// over tells whether an update has ended, well or not: one that is rolled back has failed. The
// state is told with an event where it has changed (moby, daemon/cluster: logServiceEvent).
func over(state string) bool {
	switch swarm.UpdateState(state) {
	case swarm.UpdateStateCompleted, swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused, swarm.UpdateStateRollbackCompleted, swarm.UpdateStateRollbackStarted:
		return true
	}
	return false
}

func (w *watcher) ours(service string) bool {
	for _, g := range w.goals {
		if g.ID == service {
			return true
		}
	}
	return false
}
