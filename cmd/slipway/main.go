// Slipway builds a monorepo's services and launches them onto a Docker Swarm. This is the
// binary that mage targets call (package magefiles); it takes the same names, positionals
// and flags: `slipway build:service ping`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/containerd/log"

	"slipway/report/foreign"
)

func main() { os.Exit(run()) }

func run() int {
	dieWithParent()
	// Libraries of containerd write warnings about the machine's filesystems to stderr, in
	// the middle of the display.
	_ = log.SetLevel("panic")
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		stop(fmt.Errorf("stopped by %s", s))
		<-signals
		os.Exit(exitFailed) // a second one does not wait for anything
	}()
	argv := unaliased(os.Args[1:])
	s := newStory(argv)
	err := dispatch(s.in(ctx), argv)
	s.tell(ctx, err)
	if err == nil {
		return 0
	}
	var shown *shownError
	if !errors.As(err, &shown) {
		fmt.Fprintln(os.Stderr, "slipway:", foreign.Plain(err.Error()))
	}
	return exitCode(err)
}

// Exit codes, as the README lists them.
const (
	exitFailed   = 1
	exitBadInput = 2
)

// badInput marks an error of what the person wrote: a name, a flag, a setting, a file.
type badInput struct{ error }

func (e badInput) Unwrap() error { return e.error }

// shownError is a failure that has been printed already.
type shownError struct{ error }

func exitCode(err error) int {
	var own exitError
	if errors.As(err, &own) {
		return own.code
	}
	var bad badInput
	if errors.As(err, &bad) {
		return exitBadInput
	}
	return exitFailed
}
