// Ping is the smallest service: it says that it is there, and in which version.
//
// Environment: HTTP_ADDR is where to listen (default ":8080"), METRICS_ADDR where Prometheus asks
// (default ":9090"), VERSION what to say.
// Exit codes: 0 stopped on SIGTERM or SIGINT, or healthy; 1 failed; 2 bad arguments.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"services/shared/healthcheck"
	"services/shared/metrics"
	"services/shared/service"
)

const name = "ping"

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
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "%s: takes no arguments, but was given %q\n", name, flags.Args())
		return 2
	}

	addr := cmp.Or(getenv("HTTP_ADDR"), ":8080")
	var err error
	if *check {
		err = healthcheck.Ask(ctx, addr)
	} else {
		log := slog.New(slog.NewJSONHandler(stderr, nil))
		err = service.New(name, getenv("VERSION")).Run(ctx, addr, cmp.Or(getenv("METRICS_ADDR"), ":"+metrics.DefaultPort), log)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}
