package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
	"slipway/deploy/preflight"
)

// savedPlan is a plan file. It has the contents of configs, and no values of secrets.
type savedPlan struct {
	Format int            `json:"format"`
	Stack  string         `json:"stack"`
	Commit string         `json:"commit"`
	Want   *convert.Stack `json:"want"`
	Plan   *diff.Plan     `json:"plan"`
}

const planFormat = 1

// deployPlan shows what a deploy would do, and does nothing.
func deployPlan(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	detailed, err := in.flag("detailedExitcode")
	if err != nil {
		return err
	}
	p, err := openPlaceOf(ctx, in)
	if err != nil {
		return err
	}
	m, err := p.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	want, err := p.want(ctx, m)
	if err != nil {
		return err
	}
	r, err := p.request(in, want, "plan")
	if err != nil {
		return err
	}
	state, plan, err := apply.Plan(ctx, r)
	if err != nil {
		return interrupted(ctx, err)
	}
	warnings, err := p.checkManifest(want)(ctx, state, plan)
	plan.Warnings = append(append(p.warnings, plan.Warnings...), warnings...)
	if err != nil {
		return err
	}
	p.close()
	if err := writePlan(in.flags["out"], savedPlan{planFormat, want.Name, p.tree.Head, want, plan}); err != nil {
		return err
	}
	if err := p.writePlanReport(plan); err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(os.Stdout, plan)
	} else {
		plan.Print(os.Stdout)
	}
	if err == nil && detailed && plan.Changes() {
		return exitError{apply.ExitChanges, &shownError{fmt.Errorf("the plan has changes")}}
	}
	return err
}

// check is the preflight of a deploy, and of a plan.
func (p *place) check(want *convert.Stack) func(context.Context, *live.State, *diff.Plan) ([]string, error) {
	return func(ctx context.Context, state *live.State, plan *diff.Plan) ([]string, error) {
		p.did.want, p.did.plan = want, plan
		p.did.mask = p.mask()
		warnings, err := preflight.Check(state, want, plan)
		more, fault := preflight.Binds(ctx, state, want, plan, p.nodes.Docker)
		return append(warnings, more...), errors.Join(err, fault)
	}
}

func writePlan(file string, s savedPlan) error {
	if file == "" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing the plan to %s: %w", file, err)
	}
	// The contents of configs are often just as confidential as secrets.
	if err := replaceFile(file, data, 0o600); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// readPlan reads a plan file, nil where none is named.
func readPlan(file, stack string) (*savedPlan, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, badInput{fmt.Errorf("reading the saved plan: %w", err)}
	}
	var s savedPlan
	switch err := json.Unmarshal(data, &s); {
	case err != nil:
		return nil, badInput{fmt.Errorf("%s is no saved plan (deploy:plan ENV -out=FILE writes one): %w", file, err)}
	case s.Format != planFormat || s.Want == nil || s.Plan == nil || s.Plan.Seen == nil:
		return nil, badInput{fmt.Errorf("%s is no saved plan of this version of slipway: make a new one with deploy:plan -out=%s", file, file)}
	case s.Stack != stack || s.Want.Name != stack:
		return nil, badInput{fmt.Errorf("%s is a plan for %s, and this is a deploy of %s", file, s.Stack, stack)}
	}
	if err := s.Want.Whole(); err != nil {
		return nil, badInput{fmt.Errorf("%s is damaged: %w; make a new plan with deploy:plan -out=%s", file, err, file)}
	}
	return &s, nil
}
