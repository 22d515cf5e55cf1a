package main

import (
	"fmt"

	"slipway/deploy/apply"
	"slipway/deploy/watch"
	"slipway/engine"
	"slipway/pipeline"
	"slipway/progress/recording"
)

// follow records the steps of a plan as they run. Exports take no time worth a lane.
func (s *story) follow(plan *pipeline.Plan) func(*pipeline.Step, engine.StepResult) {
	scope := s.scope(plan.Service)
	scope.Fact("tag", plan.Tag)
	return func(step *pipeline.Step, now engine.StepResult) {
		switch {
		case step.Export != nil && now.State != engine.Failed:
		case now.State == engine.Running:
			scope.Step(step.ID, step.Name, step.Build != nil)
		default:
			stepEnded(scope, now)
		}
	}
}

func stepEnded(scope *recording.Scope, r engine.StepResult) {
	message := ""
	if r.Failure != nil {
		message = r.Failure.Message
	}
	scope.StepEnded(r.ID, r.Name, recording.State(r.State), message, r.Took)
}

// built adds what is known when the plans have run: what failed and why, digests.
func (s *story) built(engineName string, outcomes []outcome) {
	s.fact("engine", engineName)
	for _, o := range outcomes {
		scope := s.scope(o.plan.Service)
		if o.err != nil {
			scope.Conclude(recording.Failed, o.err.Error())
			continue
		}
		scope.Fact("digest", o.result.Digest)
		if o.reused != nil {
			scope.Fact("tag", o.plan.Tag)
			scope.Fact("reused", fmt.Sprintf("what passed at commit %.8s, %s", o.reused.entry.Commit, o.reused.who()))
		}
		for _, r := range o.result.Steps {
			if step := o.plan.Step(r.ID); step != nil && step.Export != nil && r.State != engine.Failed {
				continue
			}
			stepEnded(scope, r) // for an engine that does not tell while they run
			if r.Failure == nil {
				continue
			}
			var notes []string
			for _, f := range findingsOf(o.plan, r) {
				notes = append(notes, f.String())
			}
			scope.Output(r.ID, r.Failure.Log)
			scope.Note(r.ID, append(notes, "Repeat only this: go tool mage "+repeat(o.plan, r.ID))...)
		}
	}
}

// deployed adds a deploy's verdict.
func (s *story) deployed(env string, v *apply.Verdict) {
	text := fmt.Sprintf("%s: %s", v.Stack, v.Result)
	if v.Release > 0 {
		text = fmt.Sprintf("%s release %d: %s", v.Stack, v.Release, v.Result)
	}
	if v.Cause != "" {
		text += ": " + v.Cause
	}
	s.verdicts = append(s.verdicts, text)
	state := recording.Failed
	switch v.Result {
	case apply.Done, apply.Unchanged:
		state = recording.Done
	case apply.Interrupted:
		state = recording.Interrupted
	}
	var services []recording.Service
	for _, one := range v.Services {
		rec := recording.Service{Name: one.Key, Change: string(one.Change), State: string(one.State), Tasks: fmt.Sprintf("%d/%d", one.Running, one.Wanted), Image: shortImage(one.Image)}
		if one.Back {
			rec.State = "taken back"
		}
		if one.State != watch.Done && one.Reason != nil {
			rec.Failed, rec.Why = true, failure(one.Key, one.State, one.Reason)
		}
		services = append(services, rec)
	}
	s.scope(deployOf(env)).Conclude(state, v.Cause, services...)
	s.scope(deployOf(env)).Fact("next", v.Next)
}
