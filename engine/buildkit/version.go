package buildkit

import (
	"context"

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
	return info.BuildkitVersion.Version
}
