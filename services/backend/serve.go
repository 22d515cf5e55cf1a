package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"services/backend/database"
	"services/backend/notes"
	"services/shared/jsonhttp"
	"services/shared/service"
)

// patience is how long a start is put off for PostgreSQL. A Swarm sends requests here as soon as
// the service answers, and takes the old task out of service: so it answers once it can serve
// them, where that is soon, and else without its notes.
const patience = 3 * time.Second

// readyTimeout bounds the question that /readyz asks PostgreSQL.
const readyTimeout = 2 * time.Second

// serve answers on addr, and Prometheus on metricsAddr, until ctx ends, while db connects in the background.
func serve(ctx context.Context, addr, metricsAddr, version string, db *database.Connection, log *slog.Logger) error {
	svc := service.New(name, version)
	svc.Metrics.Add(database.NewPoolMetrics(db))
	svc.Handle("GET /readyz", ready(db, log))
	notes.Register(svc.Handle, notes.NewPostgres(db.Pool), log)

	// The database outlives ctx: requests that are being drained still need it.
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { db.Run(connected) })
	defer running.Wait()
	defer disconnect()

	db.Await(ctx, patience)
	return svc.Run(ctx, addr, metricsAddr, log)
}

// ready answers 200 when the notes can be served, else 503. Why not is logged only: it may
// name hosts and users.
func ready(db *database.Connection, log *slog.Logger) http.Handler {
	return jsonhttp.Handler(log, func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := db.Check(ctx); err != nil {
			log.Info("not ready", "error", err)
			return &jsonhttp.Error{Status: http.StatusServiceUnavailable, Message: "the database is not ready"}
		}
		jsonhttp.Write(w, http.StatusOK, service.Status{Name: name, Status: "ready"})
		return nil
	})
}
