// Backend keeps notes in PostgreSQL and serves them over HTTP. It starts, and answers all
// but the notes, while PostgreSQL is not there yet; GET /readyz tells.
//
// Environment: HTTP_ADDR is where to listen (default: bind-host of config.toml, port 8080),
// VERSION what /api/service/version says, DB_* how to reach PostgreSQL (database.Settings).
// Exit codes: 0 stopped on SIGTERM or SIGINT, or healthy; 1 failed; 2 bad arguments.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"services/backend/config"
	"services/backend/database"
	"services/shared/healthcheck"
)

const name = "backend"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stderr))
}

// run is the program: it gives back the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("healthcheck", false, "ask the running service's /healthz; exit 0 when it is healthy, else 1")
	file := flags.String("config", config.DefaultPath, "the configuration; where the file is missing, defaults are used")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "%s: takes no arguments, but was given %q\n", name, flags.Args())
		return 2
	}

	addr, err := address(*file, getenv)
	switch {
	case err != nil:
	case *check:
		err = healthcheck.Ask(ctx, addr)
	default:
		err = start(ctx, addr, getenv, slog.New(slog.NewJSONHandler(stderr, nil)))
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

// start reads the database's settings and serves until ctx ends.
func start(ctx context.Context, addr string, getenv func(string) string, log *slog.Logger) error {
	settings, err := database.Settings(getenv)
	if err != nil {
		return err
	}
	return serve(ctx, addr, getenv("VERSION"), database.NewConnection(settings, database.Migrations(), log), log)
}

// address is where to listen, and where -healthcheck asks.
func address(file string, getenv func(string) string) (string, error) {
	settings, err := config.Load(file)
	if err != nil {
		return "", err
	}
	if addr := getenv("HTTP_ADDR"); addr != "" {
		return addr, nil
	}
	return net.JoinHostPort(settings.HTTP.BindHost, "8080"), nil
}
