// Package httpserver runs an HTTP server that stops without dropping a request.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// DrainLimit bounds how long requests under way may keep a stopping server. It is below the
// 10 seconds that Docker gives between SIGTERM and SIGKILL (stop_grace_period's default).
const DrainLimit = 8 * time.Second

// Run listens on addr ("host:port"; an empty host is every interface) and serves handler
// until ctx ends, then drains for at most DrainLimit.
func Run(ctx context.Context, addr string, handler http.Handler, log *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listening on %q: %w; set HTTP_ADDR to another host:port", addr, err)
	}
	log.InfoContext(ctx, "listening", "addr", listener.Addr().String())
	return Serve(ctx, listener, handler, DrainLimit, log)
}

// Serve answers on listener until ctx ends. Then it accepts nothing new, waits for the
// requests under way and returns nil. Those that take longer than drain are cut off, and
// the error says so. The listener is closed in any case.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, drain time.Duration, log *slog.Logger) error {
	// Requests do not inherit ctx: its end must not cancel what is to be drained.
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return fmt.Errorf("serving HTTP on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	log.Info("stopping: waiting for requests under way", "limit", drain.String())

	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		closed := server.Close()
		return errors.Join(fmt.Errorf("stopping: requests were still running after %s and were cut off: %w", drain, err), closed)
	}
	log.Info("stopped")
	return nil
}
