// Ping is the smallest service: it says that it is there, and in which version.
//
// Environment: HTTP_ADDR is where to listen (default ":8080"), METRICS_ADDR where Prometheus asks
// (default ":9090"), VERSION what to say.
// Exit codes: 0 stopped on SIGTERM or SIGINT, or healthy; 1 failed; 2 bad arguments.
package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"

	"services/shared/healthcheck"
	"services/shared/metrics"
	"services/shared/program"
	"services/shared/service"
)

const name = "ping"

func main() { program.Main(run) }

// run is the program: it gives back the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	flags := program.NewFlags(name, stderr)
	if code, ends := flags.Read(args); ends {
		return code
	}
	addr := cmp.Or(getenv("HTTP_ADDR"), ":8080")
	if *flags.Healthcheck {
		return flags.Code(healthcheck.Ask(ctx, addr))
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	return flags.Code(service.New(name, getenv("VERSION")).Run(ctx, addr, cmp.Or(getenv("METRICS_ADDR"), ":"+metrics.DefaultPort), log))
}
