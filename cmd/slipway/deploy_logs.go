package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"slipway/deploy/logs"
)

// deployLogs shows what a service's tasks write, or those of all services.
func deployLogs(ctx context.Context, in input) error {
	o, stamps, err := logOptions(in)
	if err != nil {
		return err
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	services, err := logs.Choose(state, p.env.Stack, in.args[1])
	if err != nil {
		return badInput{err}
	}
	p.show.Close() // lines come after it
	err = logs.Read(ctx, p.host.Docker, state, p.env.Stack, services, o, func(l logs.Line, width int) {
		if stamps {
			fmt.Printf("%s ", l.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
		fmt.Printf("%-*s | %s\n", width, l.Task, l.Text)
	})
	if o.Follow && ctx.Err() != nil {
		return nil // that is how following ends
	}
	return interrupted(ctx, err)
}

// logOptions reads the flags: without -tail the last 100 lines of each task, or all since
// -since.
func logOptions(in input) (o logs.Options, stamps bool, err error) {
	if o.Follow, err = in.flag("follow"); err != nil {
		return o, false, err
	}
	if stamps, err = in.flag("timestamps"); err != nil {
		return o, false, err
	}
	if o.Since = in.flags["since"]; o.Since != "" {
		d, fault := time.ParseDuration(o.Since)
		if _, no := time.Parse(time.RFC3339, o.Since); no != nil && (fault != nil || d < 0) {
			return o, false, badInput{fmt.Errorf("-since=%s is no time: write how long ago (10m, 1h30m), or 2006-01-02T15:04:05Z", o.Since)}
		}
	}
	o.Tail = in.flags["tail"]
	switch n, fault := strconv.Atoi(o.Tail); {
	case o.Tail == "" && o.Since == "":
		o.Tail = "100"
	case o.Tail == "" || o.Tail == "all":
		o.Tail = "all"
	case fault != nil || n < 0:
		return o, false, badInput{fmt.Errorf("-tail=%s: write how many lines of each task, or all", o.Tail)}
	}
	return o, stamps, nil
}
