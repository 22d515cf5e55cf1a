package release

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"
)

// Review says that a stack is a review app: one that is made from another environment's
// manifest, and goes.
type Review struct {
	From    string    `json:"from"`    // the environment whose manifest it is
	Expires time.Time `json:"expires"` // by the Swarm's clock
}

// until is the review with the time of a record's label, which wins over the record's own.
func (r *Review) until(label string) *Review {
	if r == nil {
		return nil
	}
	out := *r
	if at, err := time.Parse(time.RFC3339, label); err == nil {
		out.Expires = at
	}
	return &out
}

// Renew puts the end of a review app off, or forward.
func (e *Entry) Renew(ctx context.Context, docker *client.Client, expires time.Time) error {
	err := relabel(ctx, docker, e.ConfigID, map[string]string{labelExpires: expires.UTC().Format(time.RFC3339)})
	if err != nil {
		return fmt.Errorf("noting that %s is to stay until %s: %w", e.Stack, expires.UTC().Format(time.RFC3339), err)
	}
	return nil
}
