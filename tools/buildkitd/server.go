package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/moby/buildkit/cache/remotecache"
	inlinecache "github.com/moby/buildkit/cache/remotecache/inline"
	localcache "github.com/moby/buildkit/cache/remotecache/local"
	registrycache "github.com/moby/buildkit/cache/remotecache/registry"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/grpcerrors"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec BuildKit's messages need
	"github.com/moby/buildkit/worker"
	"github.com/sirupsen/logrus"
	bolt "go.etcd.io/bbolt"
	"google.golang.org/grpc"
)

// grace is how long calls under way may go on once the server is told to stop.
const grace = 5 * time.Second

func init() { apicaps.ExportedProduct = "buildkit" }

// serve listens until the context ends or nobody has been there for c.idle, then ends what
// is under way.
func serve(ctx context.Context, c options, runc string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mirrors, err := newMirrors(c.mirrors)
	if err != nil {
		return err
	}
	idle := newIdler()
	server := grpc.NewServer(
		grpc.StatsHandler(idle),
		grpc.ChainUnaryInterceptor(following(mirrors), logged, grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
		grpc.WaitForHandlers(true),
	)
	controller, err := newController(ctx, c, runc, mirrors)
	if err != nil {
		return err
	}
	controller.Register(server)
	listener, err := listen(strings.TrimPrefix(c.addr, "unix://"))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logrus.Infof("serving on %s", c.addr)

	quiet := make(chan struct{})
	go func() { idle.wait(ctx, c.root, c.idle); close(quiet) }()
	select {
	case err = <-failed:
	case <-quiet:
		logrus.Info("stopping")
		stop(server)
	}
	cancel()
	if cerr := controller.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("closing the state: %w", cerr)
	}
	return err
}

// stop lets calls end by themselves for a moment, then cancels them and waits for them.
func stop(server *grpc.Server) {
	done := make(chan struct{})
	go func() { server.GracefulStop(); close(done) }()
	select {
	case <-done:
	case <-time.After(grace):
		server.Stop()
		<-done
	}
}

func listen(path string) (net.Listener, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// following reads the mirrors again before a call, such as a build, that may pull.
func following(m *mirrors) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if err := m.refresh(); err != nil {
			logrus.WithError(err).Warn("the mirrors stay as they were")
		}
		return next(ctx, req)
	}
}

func logged(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	resp, err := next(ctx, req)
	if err != nil {
		logrus.Errorf("%s: %v", info.FullMethod, err)
	}
	return resp, err
}

func newController(ctx context.Context, c options, runc string, m *mirrors) (*control.Controller, error) {
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	wc, w, err := newWorker(c, runc, m.lookup)
	if err != nil {
		return nil, err
	}
	fromImages, err := gateway.NewGatewayFrontend(wc.Infos(), nil)
	if err != nil {
		return nil, err
	}
	cache, err := bboltcachestorage.NewStore(filepath.Join(c.root, "cache.db"))
	if err != nil {
		return nil, fmt.Errorf("opening the build cache: %w", err)
	}
	history, err := boltutil.SafeOpen(filepath.Join(c.root, "history.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("opening the build history: %w", err)
	}
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: wc,
		Frontends: map[string]frontend.Frontend{
			"dockerfile.v0": forwarder.NewGatewayForwarder(wc.Infos(), dockerfile.Build),
			"gateway.v0":    fromImages,
		},
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"registry": registrycache.ResolveCacheExporterFunc(sessions, m.lookup),
			"local":    localcache.ResolveCacheExporterFunc(sessions),
			"inline":   inlinecache.ResolveCacheExporterFunc(),
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": registrycache.ResolveCacheImporterFunc(sessions, w.ContentStore(), m.lookup),
			"local":    localcache.ResolveCacheImporterFunc(sessions),
		},
		CacheManager:   solver.NewCacheManager(context.WithoutCancel(ctx), "local", cache, worker.NewCacheResultStorage(wc)),
		Entitlements:   []string{"network.host"},
		HistoryDB:      history,
		CacheStore:     cache,
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		GarbageCollect: w.GarbageCollect,
		GracefulStop:   ctx.Done(),
	})
}
