// Package embedded starts the embedded engine: a BuildKit server of this project's own
// (tools/buildkitd), compiled once, run as a child process, shared by all commands of one
// cache directory, and stopped by itself when nobody has used it for a while. A user other
// than root needs ranges of subordinate ids (subuid(5)) and newuidmap: the server is then
// root of a user namespace.
package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/gofrs/flock"

	"slipway/progress"
)

// DefaultIdle is how long a server stays without a client.
const DefaultIdle = 5 * time.Minute

// Options says where the server comes from and how it behaves. Mirrors and Insecure are
// followed by a server that runs already; the command that started last decides.
type Options struct {
	// CacheDir holds the compiled server (bin/) and its state (buildkit/). Commands with
	// the same directory share one server.
	CacheDir string
	// ServerSource is the directory of the module tools/buildkitd.
	ServerSource string
	// Mirrors stand in for docker.io, in this order, before docker.io itself:
	// "mirror:5000", "http://mirror:5000", "https://mirror/path". Loopback hosts speak
	// plain HTTP without saying so.
	Mirrors []string
	// Insecure names registries that may speak plain HTTP or show an unsigned certificate.
	Insecure []string
	// Idle is how long a server started now stays without a client; 0 is DefaultIdle.
	Idle time.Duration
	// Report hears of long work; nil is nobody.
	Report progress.Reporter
}

// Server is one command's hold on the shared server.
type Server struct {
	Addr string // "unix:///…", for BuildKit's client
	PID  int    // the server's process; without root the one that holds its namespaces

	hold *flock.Flock
}

// Start returns a server that answers, compiling and starting it where that is needed.
// While the returned hold is open the server does not stop for idleness. A server of
// another version is replaced if no command uses it, else it is used as it is. Start waits
// no longer than the context allows; its errors are for the person at the terminal.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.CacheDir == "" || o.ServerSource == "" {
		return nil, errors.New("starting the embedded engine: no cache directory or no source of the server was named")
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Report == nil {
		o.Report = progress.Discard()
	}
	return start(ctx, o)
}

// Stop ends the server of a cache directory, with the builds it is doing, and returns when
// its process is gone. Where none runs it does nothing.
func Stop(ctx context.Context, cacheDir string) error { return stop(ctx, cacheDir) }

// Close lets go of the server, which goes on running for others.
func (s *Server) Close() error {
	if s == nil || s.hold == nil {
		return nil
	}
	return s.hold.Close()
}
