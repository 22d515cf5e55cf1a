package service

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"services/shared/httpserver"
)

// Run serves requests on addr, and /metrics on metricsAddr, until ctx ends; both are "host:port".
// Metrics have a port of their own, so that no proxy and no published port shows them to the world.
func (s *Service) Run(ctx context.Context, addr, metricsAddr string, log *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", metricsAddr)
	if err != nil {
		return fmt.Errorf("listening for Prometheus on %q: %w; set METRICS_ADDR to another host:port", metricsAddr, err)
	}
	log.InfoContext(ctx, "serving metrics", "addr", listener.Addr().String())

	// They are served until the last request has ended, since that one counts too.
	measured, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if err := httpserver.Serve(measured, listener, s.Metrics, time.Second, slog.New(slog.DiscardHandler)); err != nil {
			log.WarnContext(ctx, "metrics are not served any more", "error", err)
		}
	})
	defer running.Wait()
	defer stop()
	return httpserver.Run(ctx, addr, s, log)
}
