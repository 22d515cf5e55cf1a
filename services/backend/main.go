// Backend keeps notes in PostgreSQL and serves them over HTTP. Where PostgreSQL is not there, it
// starts after waiting a little, and answers all but the notes; GET /readyz tells. With -migrate
// it brings the database's schema up to date and ends: for a job that a deploy waits for.
//
// Environment: HTTP_ADDR is where to listen (default: bind-host of config.toml, port 8080),
// METRICS_ADDR where Prometheus asks (the same, port 9090), VERSION what /api/service/version says,
// DB_* how to reach PostgreSQL (database.Settings).
// Exit codes: 0 stopped on SIGTERM or SIGINT, healthy, or migrated; 1 failed; 2 bad arguments.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	"services/backend/config"
	"services/backend/database"
	"services/shared/healthcheck"
	"services/shared/metrics"
	"services/shared/program"
)

const name = "backend"

func main() { program.Main(run) }

// run is the program: it gives back the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	flags := program.NewFlags(name, stderr)
	migrate := flags.Bool("migrate", false, "bring the database's schema up to date, waiting for PostgreSQL for at most a minute, and exit")
	file := flags.String("config", config.DefaultPath, "the configuration; where the file is missing, defaults are used")
	switch code, ends := flags.Read(args); {
	case ends:
		return code
	case *flags.Healthcheck && *migrate:
		_, _ = fmt.Fprintf(stderr, "%s: -healthcheck and -migrate exclude each other\n", name)
		return 2
	}

	log := slog.New(slog.NewJSONHandler(stderr, nil))
	addr, metricsAddr, err := addresses(*file, getenv)
	switch {
	case err != nil:
	case *flags.Healthcheck:
		err = healthcheck.Ask(ctx, addr)
	case *migrate:
		err = migrated(ctx, getenv, log)
	default:
		err = start(ctx, addr, metricsAddr, getenv, log)
	}
	return flags.Code(err)
}

// start reads the database's settings and serves until ctx ends.
func start(ctx context.Context, addr, metricsAddr string, getenv func(string) string, log *slog.Logger) error {
	settings, err := database.Settings(getenv)
	if err != nil {
		return err
	}
	return serve(ctx, addr, metricsAddr, getenv("VERSION"), database.NewConnection(settings, database.Migrations(), log), log)
}

// migrated is what -migrate does.
func migrated(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	settings, err := database.Settings(getenv)
	if err != nil {
		return err
	}
	applied, err := database.MigrateOnce(ctx, settings, database.Migrations(), log)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "the schema is up to date", "applied", applied)
	return nil
}

// addresses are where to listen, which is also where -healthcheck asks, and where Prometheus asks.
func addresses(file string, getenv func(string) string) (addr, metricsAddr string, err error) {
	settings, err := config.Load(file)
	if err != nil {
		return "", "", err
	}
	host := settings.HTTP.BindHost
	return cmp.Or(getenv("HTTP_ADDR"), net.JoinHostPort(host, "8080")),
		cmp.Or(getenv("METRICS_ADDR"), net.JoinHostPort(host, metrics.DefaultPort)), nil
}
