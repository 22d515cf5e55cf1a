package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"slipway/deploy/addresses"
	"slipway/deploy/apply"
	"slipway/deploy/convert"
	"slipway/deploy/lock"
	"slipway/deploy/manifest"
	"slipway/deploy/watch"
	"slipway/progress"
)

// deployEnv brings an environment to what its manifest wants, and tells how that went.
func deployEnv(ctx context.Context, in input) error {
	p, err := openPlaceOf(ctx, in)
	if err != nil {
		return err
	}
	return p.announced(ctx, p.deployManifest(ctx, in))
}

func (p *place) deployManifest(ctx context.Context, in input) error {
	if err := p.env.Settings.MayDeploy(cmp.Or(p.from, p.env.Name), p.branch()); err != nil {
		return badInput{err}
	}
	m, err := p.load(ctx, in)
	if err != nil {
		return err
	}
	saved, err := readPlan(in.flags["plan"], p.env.Stack)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	want, seen, err := p.planned(ctx, m, saved)
	if err != nil {
		return err
	}
	r, err := p.request(in, want, "deploy")
	if err != nil {
		return err
	}
	r.Seen, r.Check, r.Prepare = seen, p.checkManifest(want), func(ctx context.Context) error { return p.copyFiles(ctx, m) }
	if r.Record.Review, err = p.stays(ctx); err != nil {
		return err
	}
	return p.deploy(ctx, in, r)
}

// planned is what is to be deployed: of a saved plan, or of the manifest as it is now.
func (p *place) planned(ctx context.Context, m *manifest.Manifest, saved *savedPlan) (*convert.Stack, map[string]string, error) {
	want, err := p.want(ctx, m)
	if err != nil || saved == nil {
		return want, nil, err
	}
	// A plan file has no values of secrets: they come from where the manifest has them.
	for i, s := range saved.Want.Secrets {
		k := slices.IndexFunc(want.Secrets, func(w convert.Secret) bool { return w.Spec.Name == s.Spec.Name })
		if k < 0 {
			return nil, nil, badInput{fmt.Errorf("the saved plan wants the secret %s, which the manifest as it is now does not have: make a new plan", s.Spec.Name)}
		}
		saved.Want.Secrets[i].Value = want.Secrets[k].Value
	}
	return saved.Want, saved.Plan.Seen, nil
}

// deploy runs a request and reports its verdict.
func (p *place) deploy(ctx context.Context, in input, r apply.Request) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p.did.reason, p.did.record = r.Reason, r.Record
	r.Failed = func(outcomes []watch.Outcome) { writeFailures(p.show.Aside(), outcomes) }
	v, err := apply.Deploy(ctx, r)
	if v != nil && v.Result == apply.Unchanged && err == nil && r.Record.Review != nil {
		err = p.renew(ctx, r)
	}
	var reached []addresses.Address
	if err == nil && r.Record.Review != nil && !asJSON {
		reached, err = p.addresses(ctx) // of ports that nobody knows beforehand
	}
	if err := p.conclude(ctx, v, err, asJSON); err != nil {
		return err
	}
	for _, a := range reached {
		fmt.Println(a)
	}
	return nil
}

// conclude tells how a deploy has ended, by its verdict, or by the error that kept it from
// beginning.
func (p *place) conclude(ctx context.Context, v *apply.Verdict, err error, asJSON bool) error {
	p.close()
	for _, w := range p.warnings {
		fmt.Fprintln(os.Stderr, "slipway: warning:", w)
	}
	if v == nil {
		return p.explain(ctx, err)
	}
	p.did.verdict = v
	p.story.deployed(p.env.Name, v)
	if asJSON {
		if fault := writeJSON(os.Stdout, v); fault != nil {
			return fault
		}
	} else {
		writeVerdict(os.Stdout, os.Stderr, v)
	}
	switch {
	case v.Exit != 0:
		return exitError{v.Exit, &shownError{errors.New(v.Cause)}}
	case err != nil:
		return err
	}
	return nil
}

// explain gives an error that came before the first write its exit code.
func (p *place) explain(ctx context.Context, err error) error {
	var moved *apply.MovedError
	switch {
	case errors.As(err, &moved):
		return exitError{apply.ExitMoved, err}
	case errors.Is(err, lock.ErrHeld):
		return exitError{apply.ExitLocked, err}
	}
	return interrupted(ctx, err)
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// deployLint checks a manifest without connecting to anything.
func deployLint(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, err := openPlaceOf(ctx, in)
	if err != nil {
		return err
	}
	m, err := p.load(ctx, in)
	if asJSON && p.findings != nil {
		if fault := writeJSON(os.Stdout, p.findings); fault != nil {
			return fault
		}
	}
	if err != nil {
		return err
	}
	if _, err := convert.Convert(m, convert.Options{}); err != nil {
		return badInput{err}
	}
	if asJSON {
		return nil
	}
	for _, w := range p.warnings {
		fmt.Println(w)
	}
	fmt.Printf("%s can be deployed: %d services, %d warnings\n", m.Stack, len(m.Project.Services), len(p.warnings))
	return nil
}

// writeFailures shows at once what is known of a failure, before the rest of the stack is back.
func writeFailures(show progress.Reporter, outcomes []watch.Outcome) {
	for _, o := range outcomes {
		if o.Reason == nil {
			continue
		}
		task := show.Start(o.Key + " has failed")
		for line := range strings.Lines(failure(o.Key, o.State, o.Reason)) {
			task.Log(strings.TrimRight(line, "\n"))
		}
		task.Done(errors.New(string(o.State)))
	}
}

// writeVerdict writes the result to stdout and what explains it to stderr.
func writeVerdict(out, log io.Writer, v *apply.Verdict) {
	for _, w := range v.Warnings {
		_, _ = fmt.Fprintln(log, "slipway: warning:", w)
	}
	for _, s := range v.Services {
		if s.Reason != nil && s.State != watch.Done {
			_, _ = fmt.Fprint(log, failure(s.Key, s.State, s.Reason))
		}
	}
	for _, l := range v.Left {
		_, _ = fmt.Fprintln(log, "slipway:", l)
	}
	if v.Cause != "" {
		_, _ = fmt.Fprintln(log, "slipway:", v.Cause)
	}
	if v.Next != "" {
		_, _ = fmt.Fprintln(log, "slipway:", v.Next)
	}
	for _, s := range v.Services {
		state := string(s.State)
		if s.Back {
			state = "taken back"
		}
		_, _ = fmt.Fprintf(out, "%-20s %-8s %-12s %d/%d  %s\n", s.Key, s.Change, state, s.Running, s.Wanted, shortImage(s.Image))
	}
	for _, r := range v.Removed {
		_, _ = fmt.Fprintln(out, "removed", r)
	}
	if v.Note != "" {
		_, _ = fmt.Fprintln(log, "slipway: note:", v.Note)
	}
	number := ""
	if v.Release > 0 {
		number = fmt.Sprintf(" release %d", v.Release)
	}
	_, _ = fmt.Fprintf(out, "%s%s: %s\n", v.Stack, number, v.Result)
}
