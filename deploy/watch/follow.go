package watch

import (
	"context"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// follow gives a sign for each event of a service, or of a container on the manager's own
// node. A stream that ends is opened again.
func (w *watcher) follow(ctx context.Context) <-chan struct{} {
	signs := make(chan struct{}, 1)
	sign := func() {
		select {
		case signs <- struct{}{}:
		default:
		}
	}
	go func() {
		for ctx.Err() == nil {
			stream := w.docker.Events(ctx, client.EventsListOptions{Filters: make(client.Filters).Add("type", "service", "container")})
			w.listen(ctx, stream, sign)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	return signs
}

func (w *watcher) listen(ctx context.Context, stream client.EventsResult, sign func()) {
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
			sign()
		}
	}
}

func (w *watcher) ours(service string) bool {
	for _, g := range w.goals {
		if g.ID == service {
			return true
		}
	}
	return false
}
