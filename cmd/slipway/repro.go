package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"slipway/deploy/environment"
	"slipway/pipeline"
	"slipway/pipeline/event"
	"slipway/report/repro"
)

// repetition is what is to be run again.
type repetition struct {
	commit   string
	with     repro.Circumstances
	event    event.Event
	refused  bool // by the rules: then these are asked again
	parts    []repeated
	recorded *repro.Run // nil: there is nothing to compare with
}

// repeated is one part of a run.
type repeated struct {
	part     event.Part
	services []string
	what     pipeline.Parts
	env      string
	before   string // commit that the environment ran before
}

// ciRepro runs again what a run did, at its commit and in a work tree of its own, and compares.
func ciRepro(ctx context.Context, in input) error {
	how, err := howToRepeat(in)
	if err != nil {
		return badInput{err}
	}
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	rep, err := p.asked(ctx, in)
	if err != nil {
		return err
	}
	if err := how.mayDeploy(rep); err != nil {
		return badInput{err}
	}
	commit, err := p.tree.Fetch(ctx, rep.commit, requestRefs(rep.event)...)
	if err != nil {
		return badInput{err}
	}
	rep.commit = commit
	if anyCommit.MatchString(rep.event.Base) {
		_, _ = p.tree.Fetch(ctx, rep.event.Base) // what it is for says what is missing
	}
	dir, remove, err := p.checkout(ctx, commit, rep.with.Project, how.keep)
	if err != nil {
		return err
	}
	defer remove()
	rep.settle(p.env)
	here := workplace{dir: dir, branch: rep.event.Branch}.in(ctx)
	again, err := openProject(here)
	if err != nil {
		return err
	}
	again.shell = how.terminal()
	if again.shell != nil {
		again.env.progress = "plain" // a live picture would draw over the shell
	}
	again.checkouts = p
	if rep.recorded == nil {
		return again.repeatUncompared(here, in, how)
	}
	now := again.repeat(here, rep, how)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	again.looked(os.Stderr)
	c := repro.Compare(*rep.recorded, now)
	fmt.Printf("\n%s", c)
	if !c.Holds() {
		return &shownError{errors.New("the run is not reproduced")}
	}
	return nil
}

// repeating is how a run is to be repeated.
type repeating struct{ shell, deploy, keep bool }

func howToRepeat(in input) (how repeating, err error) {
	for name, flag := range map[string]*bool{"shell": &how.shell, "deploy": &how.deploy, "keep": &how.keep} {
		if *flag, err = in.flag(name); err != nil {
			return how, err
		}
	}
	return how, nil
}

// mayDeploy refuses a deploy whose server a person has not named for this very command: the one
// that settings name is the real one.
func (how repeating) mayDeploy(rep repetition) error {
	if !how.deploy {
		return nil
	}
	for _, part := range rep.parts {
		if part.part != event.Deploy {
			continue
		}
		if (environment.Vars{All: environ(), Env: part.env}).Get("SERVER_HOST") == "" {
			return fmt.Errorf("-deploy=true deploys %s again, and to its real server only you can say so: set SERVER_HOST to the Swarm to deploy to, one for tests say (local is this machine's)", part.env)
		}
	}
	return nil
}

// requestRefs are where remotes keep the commits of a merge request, which no branch may have.
func requestRefs(e event.Event) []string {
	if e.Request <= 0 {
		return nil
	}
	n := fmt.Sprint(e.Request)
	return []string{"refs/merge-requests/" + n + "/head", "refs/merge-requests/" + n + "/merge", "refs/pull/" + n + "/merge", "refs/pull/" + n + "/head"}
}

// repeat runs the parts until one fails, as the run itself did.
func (p *project) repeat(ctx context.Context, rep repetition, how repeating) (now repro.Run) {
	defer func() { now.With = p.circumstances() }()
	if rep.refused {
		if err := p.refusal(ctx, rep.event); err != nil {
			now.Error = err.Error()
		}
		return now
	}
	for _, part := range rep.parts {
		if part.part == event.Deploy {
			d := p.repeatDeploy(ctx, part, how)
			now.Deploys = append(now.Deploys, d)
			if d.Error != "" {
				return now
			}
			continue
		}
		for _, names := range how.split(part.services) {
			err := p.build(ctx, names, part.what)
			for _, o := range p.built {
				now.Services = append(now.Services, behaviour(o.record()))
			}
			if err != nil && len(p.built) == 0 {
				now.Error = err.Error()
			}
			if err != nil && (!how.shell || p.shell.Opened) {
				return now
			}
		}
	}
	return now
}

// split makes services run one by one where a shell is to be opened: no other may write into it.
func (how repeating) split(services []string) (out [][]string) {
	if !how.shell {
		return [][]string{services}
	}
	for _, s := range services {
		out = append(out, []string{s})
	}
	return out
}

// refusal asks the rules again.
func (p *project) refusal(ctx context.Context, e event.Event) error {
	known, err := p.known(ctx, e)
	if err != nil {
		return err
	}
	var all []error
	for _, r := range event.Decide(e, known).Refused {
		all = append(all, errors.New(r.Text))
	}
	return errors.Join(all...)
}

// repeatUncompared does at a commit what an event asks for, where there is no record of a run.
func (p *project) repeatUncompared(ctx context.Context, in input, how repeating) error {
	e, err := p.event(ctx, in)
	if err != nil {
		return badInput{err}
	}
	known, err := p.known(ctx, e)
	if err != nil {
		return err
	}
	d := event.Decide(e, known).Only(event.Part(in.flags["only"]), in.flags["env"])
	fmt.Fprintf(os.Stderr, "slipway: %s\n%s", e, d)
	if len(d.Refused) > 0 {
		return badInput{p.refusal(ctx, e)}
	}
	rep := repetition{event: e, parts: partsAsked(d)}
	if err := how.mayDeploy(rep); err != nil {
		return badInput{err}
	}
	now := p.repeat(ctx, rep, how)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.looked(os.Stderr)
	for _, d := range now.Deploys {
		fmt.Println(d)
	}
	failed := now.Error
	for _, s := range now.Services {
		if s.Failed() {
			failed = strings.TrimPrefix(failed+", "+s.Name+" failed", ", ")
		}
	}
	for _, d := range now.Deploys {
		if d.Error != "" {
			failed = d.Error
		}
	}
	fmt.Fprintf(os.Stderr, "slipway: this is how %s behaves here. To have it compared, name the run's record instead: build/ci.json, or its address\n", p.tree.Head[:12])
	if failed != "" {
		return errors.New(failed)
	}
	return nil
}

// partsAsked are the parts that a decision asks for.
func partsAsked(d event.Decision) (out []repeated) {
	check := slices.DeleteFunc(slices.Clone(d.Check.Services), func(s string) bool { return slices.Contains(d.Images.Services, s) })
	for _, p := range []repeated{{part: event.Check, services: check}, {part: event.Images, services: d.Images.Services}} {
		if p.what = pipeline.Check; len(p.services) > 0 {
			out = append(out, p)
		}
	}
	for _, t := range d.Deploy {
		out = append(out, repeated{part: event.Deploy, env: t.Env})
	}
	return out
}
