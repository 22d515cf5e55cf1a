package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/buildkit/client"
)

// labelVersion is the worker label in which the server says which build it is.
const labelVersion = "slipway.version"

const (
	answerTime = 5 * time.Second  // for one call of a server that is up
	readyTime  = 30 * time.Second // for a server that is starting
)

// probe asks the server at addr which version it is.
func probe(ctx context.Context, addr string) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := client.New(ctx, addr)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	workers, err := c.ListWorkers(ctx)
	if err != nil {
		return "", err
	}
	if len(workers) == 0 {
		return "", errors.New("it has no worker")
	}
	return workers[0].Labels[labelVersion], nil
}

// waitReady probes until the server answers. It gives up when gone returns an error, when
// the limit is over, or with the context.
func waitReady(ctx context.Context, addr string, limit time.Duration, gone func() error) (version string, err error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := gone(); err != nil {
			return "", err
		}
		if listening(addr) {
			version, err = probe(limited, addr)
			if err == nil {
				return version, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for it to answer: %w", context.Cause(ctx))
		case <-limited.Done():
			return "", errors.Join(fmt.Errorf("it did not answer at %s within %s", addr, limit), err)
		case <-tick.C:
		}
	}
}
