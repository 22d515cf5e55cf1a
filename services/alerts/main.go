// Alerts stands between Prometheus and what it knows nothing of. It takes Alertmanager's
// notifications (POST /notify) to the chats of NOTIFY_URL, and tells Prometheus how the Swarm is
// (/metrics, package swarm).
//
// Environment: HTTP_ADDR is where to listen (default ":8080"), METRICS_ADDR where Prometheus asks
// (default ":9090"), VERSION what /api/service/version says, NOTIFY_URL shoutrrr's addresses of the
// chats or NOTIFY_URL_FILE a file with them, DOCKER_HOST a manager's Docker (unix:///var/run/docker.sock;
// unset: nothing of the Swarm is told).
// Exit codes: 0 stopped on SIGTERM or SIGINT, or healthy; 1 failed; 2 bad arguments.
package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"

	"services/alerts/chat"
	"services/alerts/notification"
	"services/alerts/swarm"
	"services/shared/healthcheck"
	"services/shared/metrics"
	"services/shared/program"
	"services/shared/service"
)

const name = "alerts"

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
	return flags.Code(serve(ctx, addr, getenv, slog.New(slog.NewJSONHandler(stderr, nil))))
}

func serve(ctx context.Context, addr string, getenv func(string) string, log *slog.Logger) error {
	addresses, err := chat.Addresses(getenv)
	if err != nil {
		return err
	}
	svc := service.New(name, getenv("VERSION"))
	told := chat.NewChats(addresses)
	svc.Metrics.Add(told)
	svc.Handle("POST /notify", notification.Handler(told, log))
	if host := getenv("DOCKER_HOST"); host != "" {
		docker, err := swarm.NewDocker(host)
		if err != nil {
			return err
		}
		svc.Metrics.Add(swarm.NewMetrics(docker, log))
	}
	return svc.Run(ctx, addr, cmp.Or(getenv("METRICS_ADDR"), ":"+metrics.DefaultPort), log)
}
