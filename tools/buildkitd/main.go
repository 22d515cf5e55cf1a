// Command buildkitd is the embedded engine: a small BuildKit server on one unix socket,
// made of BuildKit's own modules. It is what cmd/buildkitd is without the parts that a
// local builder has no use for (containerd, CNI, cloud caches, tracing exporters), and
// with what a shared child process needs: it stops when idle, it cleans up after a killed
// predecessor, and it follows its file of registry mirrors. Package slipway/engine/embedded
// compiles and starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	fscopy "github.com/tonistiigi/fsutil/copy"
)

type options struct {
	root    string        // state: caches, images, databases
	run     string        // socket, temporary files and mounts; short, since sockets live below it
	addr    string        // unix://PATH
	runc    string        // path of runc, or of a wrapper
	mirrors string        // JSON file, see mirrors.go
	version string        // told to clients in the worker's labels
	idle    time.Duration // 0 never stops
	debug   bool
}

func main() {
	c, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = start(c)
	}
	var said errSaid
	if errors.As(err, &said) {
		os.Exit(said.code)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "buildkitd: %v\n", err)
		os.Exit(1)
	}
}

// start is the part of this process: see userns.go for those that are not the server.
func start(c options) error {
	_, namespaced := holderPID()
	switch {
	case os.Getenv(initEnv) != "":
		return beInit()
	case namespaced:
		if err := ownProc(); err != nil {
			return err
		}
	case os.Geteuid() != 0:
		return holdNamespaces(c)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return run(ctx, c)
}

func parse(args []string) (options, error) {
	var c options
	f := flag.NewFlagSet("buildkitd", flag.ContinueOnError)
	f.StringVar(&c.root, "root", "", "state `directory`")
	f.StringVar(&c.run, "run", "", "`directory` for temporary files and mounts (default ROOT/run)")
	f.StringVar(&c.addr, "addr", "", "listening `address`, unix://PATH (default RUN/buildkitd.sock)")
	f.StringVar(&c.runc, "runc", "runc", "`path` of runc")
	f.StringVar(&c.mirrors, "mirrors", "", "JSON `file` of registry mirrors, read again when it changes")
	f.StringVar(&c.version, "version", "", "`name` of this build, told to clients in the worker label slipway.version")
	f.DurationVar(&c.idle, "idle", 5*time.Minute, "stop after this long without a client; 0 never")
	f.BoolVar(&c.debug, "debug", false, "log more")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if c.root == "" {
		return c, errors.New("-root DIR is missing: it says where the state goes")
	}
	var err error
	if c.root, err = filepath.Abs(c.root); err != nil {
		return c, err
	}
	if c.run == "" {
		c.run = filepath.Join(c.root, "run")
	}
	if c.addr == "" {
		c.addr = "unix://" + filepath.Join(c.run, "buildkitd.sock")
	}
	if !strings.HasPrefix(c.addr, "unix:///") {
		return c, fmt.Errorf("-addr %s: only unix:///PATH is served", c.addr)
	}
	return c, nil
}

// run serves until the context ends or the server has been idle for long enough.
func run(ctx context.Context, c options) error {
	// As in BuildKit's own main: files of layers get exactly the modes they ask for.
	syscall.Umask(0)
	fscopy.UmaskIsZero = true
	logrus.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, DisableColors: true})
	if c.debug {
		logrus.SetLevel(logrus.DebugLevel)
	}

	for _, dir := range []string{c.root, c.run} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the state directory: %w", err)
		}
	}
	runs, err := takeRoot(c)
	if err != nil {
		return err
	}
	runc, err := wrapRunc(c.root, c.runc)
	if err != nil {
		return err
	}
	for _, dir := range runs {
		if err := clean(ctx, c, dir, runc); err != nil {
			return err
		}
	}
	tmp := filepath.Join(c.run, "tmp")
	if err := os.MkdirAll(tmp, 0o711); err != nil {
		return fmt.Errorf("making the temporary directory: %w", err)
	}
	// BuildKit makes its mounts and agent sockets below TMPDIR; here they are found again
	// after a kill.
	if err := os.Setenv("TMPDIR", tmp); err != nil {
		return err
	}
	err = serve(ctx, c, runc)
	// The context may be over, and the containers of cancelled builds must go all the same.
	err = errors.Join(err, clean(context.WithoutCancel(ctx), c, c.run, runc))
	return err
}
