package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"slipway/engine"
	findings "slipway/report"
	"slipway/report/repro"
)

// runRecord is build/run.json: what ran, for people and for repeating it.
type runRecord struct {
	Version  int                 `json:"version"`
	Started  time.Time           `json:"started"`
	Took     string              `json:"took"`
	Commit   string              `json:"commit"` // HEAD
	Branch   string              `json:"branch,omitempty"`
	Engine   string              `json:"engine"`
	With     repro.Circumstances `json:"with"`
	Parts    []string            `json:"parts"` // lint, test, image, push
	OK       bool                `json:"ok"`
	Services []serviceRecord     `json:"services"`
}

// recordFormat is the version of build/run.json and build/ci.json: raise it when a slipway that
// does not know the new form would repeat something else.
const recordFormat = 1

type serviceRecord struct {
	Service string              `json:"service"`
	Tag     string              `json:"tag"`
	Commit  string              `json:"commit"` // that last changed the inputs
	Inputs  string              `json:"inputs"` // hash
	Go      string              `json:"go,omitempty"`
	Image   string              `json:"image,omitempty"`
	Digest  string              `json:"digest,omitempty"`
	Bases   map[string]string   `json:"bases,omitempty"`
	Error   string              `json:"error,omitempty"`
	Steps   []engine.StepResult `json:"steps,omitempty"`
	// Reused says by whose word steps were not run.
	Reused *reusedRecord `json:"reused,omitempty"`
	// Findings are what failed steps found, by their ID.
	Findings map[string][]findings.Finding `json:"findings,omitempty"`
}

// record is what is kept of an outcome.
func (o outcome) record() serviceRecord {
	s := serviceRecord{Service: o.plan.Service, Tag: o.plan.Tag, Commit: o.plan.Commit, Inputs: o.plan.Inputs.Hash, Go: o.plan.Go, Image: o.plan.Image, Reused: o.reused.record()}
	if o.err != nil {
		s.Error = o.err.Error()
		return s
	}
	s.Digest, s.Bases, s.Steps = o.result.Digest, o.result.Bases, o.result.Steps
	for _, r := range o.result.Failed() {
		if list := findingsOf(o.plan, r); len(list) > 0 {
			if s.Findings == nil {
				s.Findings = map[string][]findings.Finding{}
			}
			s.Findings[r.ID] = list
		}
	}
	return s
}

// writeRun replaces build/run.json.
func (p *project) writeRun(ctx context.Context, eng engine.Engine, outcomes []outcome, began, ended time.Time) error {
	p.story.built(eng.Name(), outcomes)
	p.used = engineOf(ctx, eng)
	r := runRecord{Version: recordFormat, Started: began.UTC(), Took: ended.Sub(began).Round(time.Millisecond).String(), Commit: p.tree.Head, Branch: p.tree.Branch, Engine: eng.Name(), With: p.circumstances(), OK: true}
	for _, o := range outcomes {
		r.OK = r.OK && !o.failed()
		r.Parts = union(r.Parts, partsOf(o.plan))
		r.Services = append(r.Services, o.record())
	}
	var out bytes.Buffer
	if err := writeJSON(&out, r); err != nil {
		return err
	}
	if err := os.MkdirAll(p.buildDir(), 0o755); err != nil {
		return fmt.Errorf("making the build directory: %w", err)
	}
	if err := replaceFile(filepath.Join(p.buildDir(), "run.json"), out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the run's record: %w", err)
	}
	return nil
}
