package main

import (
	"os"
	"path/filepath"
	"strings"

	"slipway/engine"
	"slipway/pipeline"
	"slipway/reuse"
)

// done tells that nothing is left to run.
func (r *reused) done() bool { return r != nil && r.result != nil }

// rest is what of a plan an engine has to run, beside what counts already.
func (r *reused) rest(plan *pipeline.Plan) *pipeline.Plan {
	if r == nil {
		return plan
	}
	return reuse.Without(plan, checksOnly(plan)...)
}

// whole adds to the result of the rest the steps that were not run, in the plan's order.
func (r *reused) whole(plan *pipeline.Plan, rest *engine.Result) *engine.Result {
	if r == nil || rest == nil {
		return rest
	}
	ran := map[string]engine.StepResult{}
	for _, s := range rest.Steps {
		ran[s.ID] = s
	}
	out := *rest
	out.Steps = nil
	for _, s := range plan.Steps {
		one, ok := ran[s.ID]
		if !ok {
			one = engine.StepResult{ID: s.ID, Name: s.Name, State: engine.Reused}
		}
		out.Steps = append(out.Steps, one)
	}
	return &out
}

// checksOnly are the IDs of a plan's lint and test.
func checksOnly(plan *pipeline.Plan) (ids []string) {
	for _, c := range reuse.Checks(plan) {
		if c != "build" {
			ids = append(ids, plan.Service+"/"+c)
		}
	}
	return ids
}

// withoutReports removes the reports of an earlier run of checks that this one leaves out: they
// would be taken for its own.
func (p *project) withoutReports(plan *pipeline.Plan, r *reused) {
	if r == nil {
		return
	}
	for _, s := range plan.Steps {
		if s.Export != nil && strings.HasPrefix(s.Export.To, "reports/") {
			_ = os.Remove(filepath.Join(p.buildDir(), filepath.FromSlash(s.Export.To)))
		}
	}
}

// reusedRecord is what build/run.json says of where a pass comes from.
type reusedRecord struct {
	Entry  string `json:"entry"`  // reference of the entry
	Digest string `json:"digest"` // of the image that was built then
	Commit string `json:"commit"`
	Key    string `json:"key"` // whose signature counted
	Here   bool   `json:"builtHere,omitempty"`
	Run    string `json:"run,omitempty"` // address of the CI job
}

func (r *reused) record() *reusedRecord {
	if r == nil {
		return nil
	}
	return &reusedRecord{Entry: r.entry.Image + ":" + r.tag, Digest: r.entry.Digest, Commit: r.entry.Commit, Key: r.by.ID, Here: r.here, Run: r.entry.Run}
}
