package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc/stats"
)

// idler counts open client connections. A connection is the unit, and not a call: a client
// with a session keeps its connection, and one that dies loses it.
type idler struct {
	mu    sync.Mutex
	conns int
	since time.Time // when the last connection ended
}

var _ stats.Handler = (*idler)(nil)

func newIdler() *idler { return &idler{since: time.Now()} }

func (i *idler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (i *idler) HandleRPC(context.Context, stats.RPCStats)                         {}
func (i *idler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (i *idler) HandleConn(_ context.Context, s stats.ConnStats) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch s.(type) {
	case *stats.ConnBegin:
		i.conns++
	case *stats.ConnEnd:
		i.conns--
		i.since = time.Now()
	}
}

// idleFor is how long there has been no connection; 0 while there is one.
func (i *idler) idleFor() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.conns > 0 {
		return 0
	}
	return time.Since(i.since)
}

func (i *idler) restart() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.since = time.Now()
}

// wait returns when nobody has used the server for that long, or the context ends; with a
// limit of 0 only then. It then holds clients.lock until the process ends: a command that
// comes now waits for that lock, finds no server, and starts one.
func (i *idler) wait(ctx context.Context, root string, limit time.Duration) {
	if limit <= 0 {
		<-ctx.Done()
		return
	}
	clients := flock.New(filepath.Join(root, clientsName))
	tick := time.NewTicker(min(max(limit/10, 10*time.Millisecond), 10*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if i.idleFor() < limit {
			continue
		}
		ok, err := clients.TryLock()
		if os.IsNotExist(err) {
			logrus.Warn("the state directory is gone")
			return
		}
		if err != nil {
			logrus.WithError(err).Warn("checking for clients")
		}
		if ok && i.idleFor() >= limit {
			held = append(held, clients)
			return
		}
		if ok {
			_ = clients.Unlock()
		}
		i.restart() // a command is between two connections
	}
}
