package ssh

import (
	"context"
	"errors"
	"sync"
)

// gate is a semaphore whose bound can be lowered while it is in use.
type gate struct {
	mu     sync.Mutex
	limit  int
	inside int
	freed  chan struct{} // closed and replaced whenever somebody leaves
}

var errGateDone = errors.New("the connection is closed")

func newGate(limit int) *gate { return &gate{limit: limit, freed: make(chan struct{})} }

// enter waits for a free place until ctx or done ends it.
func (g *gate) enter(ctx context.Context, done <-chan struct{}) error {
	for {
		g.mu.Lock()
		if g.inside < g.limit {
			g.inside++
			g.mu.Unlock()
			return nil
		}
		freed := g.freed
		g.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
			return errGateDone
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.exit()
}

// leaveBelow leaves, and lets no more in than those who stay: one more was too many. One
// is always let in.
func (g *gate) leaveBelow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.exit()
	g.limit = min(g.limit, max(1, g.inside))
}

func (g *gate) exit() {
	g.inside--
	close(g.freed)
	g.freed = make(chan struct{})
}
