package buildkit

import (
	"context"
	"runtime/debug"
	"strings"

	"slipway/engine"
)

var _ engine.Versioned = (*Runner)(nil)

// Version implements engine.Versioned.
func (r *Runner) Version(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	info, err := r.c.Info(ctx)
	if err != nil {
		return ""
	}
	if v := info.BuildkitVersion.Version; !strings.HasSuffix(v, "+unknown") {
		return v
	}
	return ownVersion()
}

// ownVersion is that of the BuildKit that this program is made of. The embedded engine is
// compiled from the same and, compiled as a Go module, does not know its own.
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/moby/buildkit" {
			return m.Version
		}
	}
	return ""
}
