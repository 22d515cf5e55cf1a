//go:build !linux

package embedded

import (
	"context"
	"fmt"
	"runtime"
)

func start(context.Context, Options) (*Server, error) {
	return nil, fmt.Errorf("the embedded engine needs Linux and this is %s; start Docker, or set SLIPWAY_ENGINE to dagger or to the address of a BuildKit (tcp://host:1234)", runtime.GOOS)
}

func stop(context.Context, string) error { return nil }
