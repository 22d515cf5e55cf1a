// Command dockerstack is Docker's own `docker stack`, as its CLI of the pinned version has it.
// Benchmarks run it beside slipway: Debian's docker.io is older than --detach=false, and the
// whole CLI needs a module that the Go proxy does not serve.
package main

import (
	"fmt"
	"os"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/stack"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	cli, err := command.NewDockerCli()
	if err != nil {
		return err
	}
	if err := cli.Initialize(flags.NewClientOptions()); err != nil {
		return err
	}
	docker := &cobra.Command{Use: "docker", SilenceUsage: true, SilenceErrors: true, PersistentPreRunE: func(*cobra.Command, []string) error { return nil }}
	docker.AddCommand(stack.NewStackCommand(cli)) //nolint:staticcheck // its authors advise against it, and there is no other way to the command alone
	docker.SetArgs(append([]string{"stack"}, args...))
	return docker.Execute()
}
