package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/containerd/console"

	"slipway/deploy/apply"
	"slipway/deploy/live"
	"slipway/deploy/lock"
	"slipway/deploy/release"
	"slipway/deploy/reviewapp"
)

// reach opens an environment's Swarm for a command that needs no manifest.
func reach(ctx context.Context, name string) (*place, *live.State, error) {
	return reachOf(ctx, input{args: []string{name}})
}

// reachOf does it for the environment of a command line.
func reachOf(ctx context.Context, in input) (*place, *live.State, error) {
	p, err := openPlaceOf(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	if err := p.connect(ctx); err != nil {
		p.close()
		return nil, nil, err
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		p.close()
		return nil, nil, interrupted(ctx, err)
	}
	return p, state, nil
}

// deployHistory lists the releases that the Swarm has records of.
func deployHistory(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	p.close()
	entries, warnings := release.Entries(state.Configs, p.env.Stack)
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "slipway: warning:", w)
	}
	if asJSON {
		if entries == nil {
			entries = []release.Entry{}
		}
		return writeJSON(os.Stdout, entries)
	}
	if len(entries) == 0 {
		fmt.Fprintf(os.Stderr, "slipway: %s has no releases yet\n", p.env.Stack)
		return nil
	}
	_, held := lock.Held(state.Configs, p.env.Stack)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, e := range entries {
		what := fmt.Sprintf("%d changes", len(e.Changes))
		if e.RollbackTo > 0 {
			what = fmt.Sprintf("back to release %d", e.RollbackTo)
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%.8s\t%s\t%s\t%s\n", e.Number, stateOf(e, held), e.CreatedAt.UTC().Format("2006-01-02 15:04:05Z"), e.Commit, e.Who, what, e.Reason)
	}
	return w.Flush()
}

// stateOf calls a release interrupted whose deploy is over without having said how it ended.
func stateOf(e release.Entry, held bool) string {
	if e.State == release.Applying && !held {
		return "interrupted"
	}
	return string(e.State)
}

// deployRollback brings an earlier release back, without git and without a registry.
func deployRollback(ctx context.Context, in input) error {
	to, err := in.number("to")
	if err != nil {
		return err
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	return p.announced(ctx, p.rollback(ctx, in, state, to))
}

func (p *place) rollback(ctx context.Context, in input, state *live.State, to int) error {
	target, err := apply.Target(state, p.env.Stack, to)
	if err != nil {
		return badInput{err}
	}
	want, err := apply.Back(state, withSecrets(state, target))
	if err != nil {
		return badInput{err}
	}
	r, err := p.request(in, want, fmt.Sprintf("rollback to release %d", target.Number))
	if err != nil {
		return err
	}
	r.Check = p.check(want)
	r.Record.RollbackTo, r.Record.Commit, r.Record.Branch = target.Number, target.Commit, target.Branch
	return p.deploy(ctx, in, r)
}

// deployUnlock breaks the lock of an environment.
func deployUnlock(ctx context.Context, in input) error {
	p, _, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	owner, was, err := lock.Break(ctx, p.host.Docker, p.env.Stack)
	if err != nil {
		return interrupted(ctx, err)
	}
	p.close()
	if !was {
		fmt.Printf("%s was not locked\n", p.env.Stack)
		return nil
	}
	fmt.Printf("%s was locked by %s, and is no more; a deploy that still runs stops before its next write\n", p.env.Stack, owner)
	return nil
}

// deployRemove takes a stack away, all but its data.
func deployRemove(ctx context.Context, in input) error {
	yes, err := in.flag("yes")
	if err != nil {
		return err
	}
	p, state, err := reachOf(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	r, err := p.request(in, nil, "remove")
	if err != nil {
		return err
	}
	what := apply.Removable(state, p.env.Stack)
	app := reviewapp.Of(state.Configs, p.env.Stack)
	if app != nil {
		r.Emptied = p.volumes(state, p.env.Stack)
	}
	if len(what) == 0 {
		p.close()
		fmt.Printf("%s: nothing to remove\n", p.env.Stack)
		return nil
	}
	if !yes {
		p.show.Close()
		p.show = nil
		if err := confirm(p.env.Name, p.host.Name, what, app != nil); err != nil {
			return badInput{err}
		}
	}
	removed, err := apply.Remove(ctx, r, p.env.Stack)
	p.close()
	for _, line := range removed {
		fmt.Println("removed", line)
	}
	if err != nil {
		return p.explain(ctx, err)
	}
	if app != nil {
		fmt.Printf("%s: removed, with its volumes\n", p.env.Stack)
		return nil
	}
	fmt.Printf("%s: removed; volumes, directories and external secrets are where they were\n", p.env.Stack)
	return nil
}

// confirm asks a person to write the environment's name.
func confirm(env, server string, what []string, volumes bool) error {
	if _, err := console.ConsoleFromFile(os.Stdin); err != nil {
		return fmt.Errorf("this would remove %d things of %s on %s, and there is nobody to ask: say -yes=true where that is meant", len(what), env, server)
	}
	for _, w := range what {
		fmt.Fprintln(os.Stderr, "  -", w)
	}
	data := "volumes stay"
	if volumes {
		data = "its volumes go too"
	}
	fmt.Fprintf(os.Stderr, "All this is removed on %s; %s. Write %q to go on: ", server, data, env)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if strings.TrimSpace(line) != env {
		return fmt.Errorf("nothing was removed")
	}
	return nil
}
