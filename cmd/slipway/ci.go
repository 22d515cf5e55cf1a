package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"slipway/deploy/manifest"
	"slipway/pipeline"
	"slipway/pipeline/event"
)

// ciRun does what the event asks for that it runs for: on a CI system, or as its flags say.
func ciRun(ctx context.Context, in input) error {
	part, env := event.Part(in.flags["only"]), in.flags["env"]
	if part != "" && !slices.Contains(event.Parts, part) {
		return badInput{fmt.Errorf("-only=%s: write check, images or deploy", part)}
	}
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	if err := p.reuses(in, reuseAll); err != nil {
		return err
	}
	e, err := p.event(ctx, in)
	if err != nil {
		return badInput{err}
	}
	talk := p.talk(ctx, e)
	if _, given := in.flags["labels"]; !given {
		talk.labels(ctx)
		e = talk.event
	}
	known, err := p.known(ctx, e)
	if err != nil {
		return err
	}
	if env != "" && !slices.Contains(known.Environments, env) {
		_, err := manifest.File(os.DirFS(p.tree.Root), env)
		return badInput{err}
	}
	whole := event.Decide(e, known)
	d := whole.Only(part, env)
	run := ciRecord{Version: recordFormat, With: p.circumstances(), Started: time.Now().UTC(), Event: e, Only: part, Env: env, Decision: d, Repeat: event.Repeat(p.repeatable(e), e, whole, part, env)}
	p.story.repeat, run.talk = run.Repeat, talk
	fmt.Fprintf(os.Stderr, "slipway: %s\n%s", e, d)
	err = p.carryOut(ctx, d, whole, &run)
	run.end(err)
	if err != nil {
		talk.failed(ctx, run.env(), err, run.Repeat)
	}
	if fault := p.writeCI(run); err == nil {
		err = fault
	}
	if err == nil {
		fmt.Fprintln(os.Stderr, "slipway: to repeat this:", run.Repeat)
		return nil
	}
	var shown *shownError
	if !errors.As(err, &shown) {
		fmt.Fprintln(os.Stderr, "slipway:", err)
	}
	fmt.Fprintln(os.Stderr, "slipway: to repeat this:", run.Repeat)
	return exitError{exitCode(err), &shownError{err}}
}

// event is what has happened, of all that can be known of it.
func (p *project) event(ctx context.Context, in input) (event.Event, error) {
	labels, has := in.flags["labels"]
	given := event.Given{
		Kind: event.Kind(in.flags["event"]), Labels: event.Split(labels), HasLabels: has, Branch: in.flags["branch"],
		Base: in.flags["base"], Environment: in.flags["env"], Part: event.Part(in.flags["only"]),
	}
	vars := map[string]string{}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	var payload []byte
	if file := vars["GITHUB_EVENT_PATH"]; file != "" && vars["GITHUB_ACTIONS"] == "true" {
		var err error
		if payload, err = os.ReadFile(file); err != nil {
			return event.Event{}, fmt.Errorf("reading the event that GitHub describes: %w", err)
		}
	}
	git := event.Git{Branch: p.tree.Branch, Default: p.tree.Default(ctx), Commit: p.tree.Head}
	return event.Read(vars, payload, git, given)
}

// known is what there is in the repository for an event to ask for.
func (p *project) known(ctx context.Context, e event.Event) (event.Known, error) {
	k := event.Known{Settings: p.repo.Settings, Services: p.repo.Names()}
	for _, s := range p.repo.Services {
		if s.Dockerfile != "" {
			k.Packed = append(k.Packed, s.Name)
		}
	}
	files, err := manifest.Environments(os.DirFS(p.tree.Root))
	if err != nil {
		return k, err
	}
	k.Environments = slices.Sorted(maps.Keys(files))
	if e.Base != "" {
		k.Affected, err = p.affected(ctx, e.Base)
	}
	return k, err
}

// carryOut does the parts in their order and stops at the first that fails. whole is what other
// jobs do as well.
func (p *project) carryOut(ctx context.Context, d, whole event.Decision, run *ciRecord) error {
	if len(d.Refused) > 0 {
		run.talk.refused(ctx, d.Refused, run.Repeat)
		var all []error
		for _, r := range d.Refused {
			all = append(all, errors.New(r.Text))
		}
		return badInput{errors.Join(all...)}
	}
	if d.Nothing() {
		fmt.Fprintln(os.Stderr, "slipway: nothing is to be done")
		return nil
	}
	err := p.carryOutBuilds(ctx, d, run)
	run.talk.images(ctx, whole, run.Repeat)
	if err != nil {
		return err
	}
	for _, t := range d.Deploy {
		to := input{args: []string{t.Env}}
		err := deployPlan(ctx, to)
		if err == nil {
			err = deployEnv(ctx, to)
		}
		run.did(ciResult{Part: event.Deploy, Env: t.Env, Deploy: keptDeploy(p.story.deployment(t.Env).verdict)}, err)
		run.talk.deployed(ctx, t.Env, err, run.Repeat)
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *project) carryOutBuilds(ctx context.Context, d event.Decision, run *ciRecord) error {
	// To push a service is to check it first.
	check := slices.DeleteFunc(slices.Clone(d.Check.Services), func(s string) bool { return slices.Contains(d.Images.Services, s) })
	if err := run.built(event.Check, p, check, func() error { return p.build(ctx, check, pipeline.Check) }); err != nil {
		return err
	}
	push := pipeline.Check
	push.Push = true
	return run.built(event.Images, p, d.Images.Services, func() error { return p.build(ctx, d.Images.Services, push) })
}
