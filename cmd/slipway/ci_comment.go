package main

import (
	"context"
	"strings"
	"time"

	"slipway/deploy/environment"
	"slipway/engine"
	"slipway/pipeline"
	"slipway/pipeline/event"
	"slipway/report/chat"
	"slipway/report/comment"
)

// did takes note of how a part of the run went.
func (t *talk) did(part event.Part, outcomes []outcome, err error) {
	t.built = append(t.built, built{part, outcomes, err})
}

// images comments on what was built, or why it was not. whole is all that the event asks for, of
// which other jobs may do a part.
func (t *talk) images(ctx context.Context, whole event.Decision, repeat string) {
	page := comment.Images{About: t.about, Failures: t.failures()}
	for _, b := range t.built {
		for _, o := range b.outcomes {
			switch {
			case o.failed():
			case b.part == event.Images:
				page.Images = append(page.Images, imageOf(o))
			default:
				page.Checked = append(page.Checked, o.plan.Service)
			}
		}
	}
	amends := false
	switch {
	case len(page.Failures) > 0:
		page.Reproduce = repeat
	case len(t.built) == 0:
		return
	case len(page.Images) == 0:
		// Checks that go well are no news, unless they did not before.
		if amends = true; len(whole.Images.Services) > 0 {
			return // the job of the images will tell
		}
	}
	t.say(ctx, page.Key(), amends, page, t.mask)
}

func imageOf(o outcome) comment.Image {
	im := comment.Image{Service: o.plan.Service, Tag: o.plan.Tag, Digest: o.result.Digest}
	for _, s := range o.result.Steps {
		if step := o.plan.Step(s.ID); step != nil && step.Build != nil && s.State == engine.Done {
			im.Built = true
		}
	}
	return im
}

// failures are why services did not become what they should, as the terminal shows it.
func (t *talk) failures() (out []comment.Failure) {
	for _, b := range t.built {
		before := len(out)
		for _, o := range b.outcomes {
			if o.failed() {
				out = append(out, failuresOf(o)...)
			}
		}
		if b.err != nil && len(out) == before { // it did not come to a service
			out = append(out, comment.Failure{Step: string(b.part), Reason: b.err.Error()})
		}
	}
	return out
}

func failuresOf(o outcome) (out []comment.Failure) {
	if o.err != nil {
		return []comment.Failure{{Service: o.plan.Service, Reason: o.err.Error()}}
	}
	for _, s := range o.result.Failed() {
		f := comment.Failure{Service: o.plan.Service, Step: stepOf(o.plan, s.ID), Reason: s.Failure.Message}
		for _, found := range findingsOf(o.plan, s) {
			f.Findings = append(f.Findings, found.String())
		}
		if f.Findings == nil && s.Failure.Log != "" {
			f.Log = strings.Split(tail(s.Failure.Log, 40), "\n")
		}
		out = append(out, f)
	}
	return out
}

// stepOf is a step's name within its service: "test".
func stepOf(plan *pipeline.Plan, id string) string { return strings.TrimPrefix(id, plan.Service+"/") }

// refused comments on what was asked for and must not be.
func (t *talk) refused(ctx context.Context, refused []event.Refusal, repeat string) {
	about := t.about
	about.Reproduce = repeat
	page := comment.Images{About: about}
	for _, r := range refused {
		if r.Part == event.Deploy {
			d := comment.Deploy{About: about, Env: r.Env, Verdict: &comment.Verdict{Result: "refused", Cause: r.Text}}
			t.say(ctx, d.Key(), false, d, t.mask)
			continue
		}
		page.Failures = append(page.Failures, comment.Failure{Step: "labels", Reason: r.Text})
	}
	if page.Failures != nil {
		t.say(ctx, page.Key(), false, page, t.mask)
	}
}

// deployed comments on a deploy's plan, and on how it ended.
func (t *talk) deployed(ctx context.Context, env string, err error, repeat string) {
	d := t.story.deployment(env)
	mask := d.mask
	if d.stack == "" { // not even its settings could be read
		mask = t.mask
	}
	page := comment.Deploy{About: t.about, Env: env, Stack: d.stack, Plan: d.planned(), Warnings: d.warnings}
	page.Verdict = &comment.Verdict{OK: d.ok(err), Services: d.services(), Took: time.Since(d.began)}
	page.Verdict.Result, page.Verdict.Cause, page.Verdict.Next = d.ending(err)
	if d.verdict != nil {
		page.Release = d.verdict.Release
		page.Warnings = append(page.Warnings[:len(page.Warnings):len(page.Warnings)], d.verdict.Warnings...)
	}
	if err != nil {
		page.Reproduce = repeat
	}
	t.say(ctx, page.Key(), false, page, mask)
}

// failed tells the chats of a run that failed where everybody depends on it: on the main branch,
// or in a deploy that could not tell by itself. env is "" where it came to no deploy.
func (t *talk) failed(ctx context.Context, env string, err error, repeat string) {
	main := t.event.OnMain() && (t.event.Kind == event.Push || t.event.Kind == event.Schedule)
	if t.event.System == "" || env == "" && !main || env != "" && t.story.deployment(env).told {
		return
	}
	urls, fault := secretVariable(ctx, environment.Vars{All: t.vars, Env: env}, "NOTIFY_URL")
	if fault != nil {
		t.mute = false
		t.warn("the chat was not told: " + fault.Error())
		return
	}
	m := chat.Message{
		Project: t.repo.Project, Env: env, Result: "failed", Cause: err.Error(), Who: t.event.Actor, Branch: t.event.Branch, Commit: t.event.Commit,
		About: comment.About{Link: t.event.Link, Reproduce: repeat},
	}
	mask := t.mask
	if env != "" {
		if d := t.story.deployment(env); d.stack != "" {
			m.Stack, mask = d.stack, d.mask
		}
	}
	for _, f := range t.failures() {
		m.Services = append(m.Services, cardOf(f))
	}
	send(ctx, urls, mask, m)
}

// cardOf is a failure as a chat shows it.
func cardOf(f comment.Failure) comment.Service {
	lines := f.Findings
	if lines == nil {
		lines = f.Log
	}
	name := f.Service
	if name == "" {
		name = "pipeline"
	}
	return comment.Service{Name: name, State: strings.TrimSpace(f.Step + " failed"), Reason: &comment.Reason{Message: f.Reason, Log: lines}}
}
