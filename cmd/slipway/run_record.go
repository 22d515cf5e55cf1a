package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"slipway/engine"
)

// runRecord is build/run.json: what ran, for people and for repeating it.
type runRecord struct {
	Version  int             `json:"version"`
	Started  time.Time       `json:"started"`
	Took     string          `json:"took"`
	Commit   string          `json:"commit"` // HEAD
	Branch   string          `json:"branch,omitempty"`
	Engine   string          `json:"engine"`
	OK       bool            `json:"ok"`
	Services []serviceRecord `json:"services"`
}

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
}

// writeRun replaces build/run.json.
func (p *project) writeRun(engineName string, outcomes []outcome, began, ended time.Time) error {
	p.story.built(engineName, outcomes)
	r := runRecord{Version: 1, Started: began.UTC(), Took: ended.Sub(began).Round(time.Millisecond).String(), Commit: p.tree.Head, Branch: p.tree.Branch, Engine: engineName, OK: true}
	for _, o := range outcomes {
		s := serviceRecord{Service: o.plan.Service, Tag: o.plan.Tag, Commit: o.plan.Commit, Inputs: o.plan.Inputs.Hash, Go: o.plan.Go, Image: o.plan.Image}
		if o.err != nil {
			s.Error = o.err.Error()
		} else {
			s.Digest, s.Bases, s.Steps = o.result.Digest, o.result.Bases, o.result.Steps
		}
		r.OK = r.OK && !o.failed()
		r.Services = append(r.Services, s)
	}
	var out bytes.Buffer
	if err := writeJSON(&out, r); err != nil {
		return err
	}
	if err := os.MkdirAll(p.buildDir(), 0o755); err != nil {
		return fmt.Errorf("making the build directory: %w", err)
	}
	tmp := filepath.Join(p.buildDir(), ".run.json.tmp")
	if err := os.WriteFile(tmp, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the run's record: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(p.buildDir(), "run.json")); err != nil {
		return fmt.Errorf("writing the run's record: %w", err)
	}
	return nil
}
