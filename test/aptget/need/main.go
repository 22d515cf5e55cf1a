// Need installs what a suite without access to package aptget needs:
//
//	go run ./test/aptget/need COMMAND PACKAGE
//
// makes sure that COMMAND is on PATH, from the Debian package PACKAGE where it is not.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"slipway/test/aptget"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: need COMMAND PACKAGE")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := aptget.Ensure(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "need:", err)
		os.Exit(1)
	}
}
