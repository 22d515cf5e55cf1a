// Package program is what every service does alike as a process: it ends on signals, asks itself
// how it is (-healthcheck), and says with its exit code how it went.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a program until it has ended, or SIGTERM or SIGINT come, and exits with its code.
func Main(run func(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stderr))
}

// Flags are a service's; it may add its own.
type Flags struct {
	*flag.FlagSet
	Healthcheck *bool
}

// NewFlags makes the flags of a service of that name, which say on stderr what is wrong with them.
func NewFlags(name string, stderr io.Writer) *Flags {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	return &Flags{flags, flags.Bool("healthcheck", false, "ask the running service's /healthz; exit 0 when it is healthy, else 1")}
}

// Read parses the arguments. Where that ends the program, it gives the exit code, and true: 0 after
// -help, 2 for bad arguments.
func (f *Flags) Read(args []string) (code int, ends bool) {
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0, true
	case err != nil:
		return 2, true
	case f.NArg() > 0:
		_, _ = fmt.Fprintf(f.Output(), "%s: takes no arguments, but was given %q\n", f.Name(), f.Args())
		return 2, true
	}
	return 0, false
}

// Code is the exit code for how the work ended, and says what was wrong.
func (f *Flags) Code(err error) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintf(f.Output(), "%s: %v\n", f.Name(), err)
	return 1
}
