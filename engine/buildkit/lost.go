package buildkit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// answerTimeout bounds the question whether an engine is still there.
const answerTimeout = 5 * time.Second

// gone reports whether a step ended with err because the engine itself went away, and
// remembers that. A registry that is unavailable gives the same code, so the engine is asked.
func (b *build) gone(ctx context.Context, err error) bool {
	if st, ok := status.FromError(err); !ok || st.Code() != codes.Unavailable {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if _, silent := b.runner.c.ListWorkers(ctx); silent == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost == nil {
		b.lost = err
	}
	return true
}

func (b *build) lostEngine() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}

// engineError explains an error that no step is to blame for.
func (b *build) engineError(err error) error {
	msg := fullDisk(plainMessage(err))
	if st, ok := status.FromError(err); ok && st.Code() == codes.Unavailable {
		return fmt.Errorf("the connection to %s broke while it built %s: %s; run again", b.runner.o.Name, b.plan.Service, strings.TrimPrefix(msg, "Unavailable: "))
	}
	return fmt.Errorf("building %s on %s: %s", b.plan.Service, b.runner.o.Name, msg)
}
