package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/engine"
	"slipway/pipeline"
	"slipway/pipeline/event"
	"slipway/report/repro"
)

var (
	fullCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	anyCommit  = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// ofCommit are the flags that say what a record says by itself.
var ofCommit = []string{"labels", "branch", "env", "only", "event", "base"}

// maxRecord bounds a record: the logs in it are the ends of long ones.
const maxRecord = 64 << 20

// asked finds out what is to be repeated: a record's file, its address, or a commit.
func (p *project) asked(ctx context.Context, in input) (repetition, error) {
	what := in.args[0]
	var data []byte
	var err error
	switch f, ferr := os.Stat(what); {
	case strings.Contains(what, "://"):
		if data, err = p.download(ctx, what); err != nil {
			return repetition{}, interrupted(ctx, err)
		}
	case ferr == nil && f.IsDir():
		return repetition{}, badInput{fmt.Errorf("%s is a directory: name the run's record in it, ci.json or run.json", what)}
	case ferr == nil:
		if data, err = readBounded(what); err != nil {
			return repetition{}, badInput{err}
		}
	case anyCommit.MatchString(what):
		if part := event.Part(in.flags["only"]); part != "" && !slices.Contains(event.Parts, part) {
			return repetition{}, badInput{fmt.Errorf("-only=%s: write check, images or deploy", part)}
		}
		return repetition{commit: what, with: repro.Circumstances{Project: p.rootName()}, event: event.Event{Branch: in.flags["branch"], Base: in.flags["base"]}}, nil
	default:
		return repetition{}, badInput{fmt.Errorf("%s is neither a file, nor an address (https://…), nor a commit: name a run's record (build/ci.json, build/run.json), where CI keeps it, or the commit with -labels=… and -only=…", what)}
	}
	for _, name := range ofCommit {
		if _, given := in.flags[name]; given {
			return repetition{}, badInput{fmt.Errorf("-%s belongs to a commit, and %s is a record, which says by itself what was run", name, what)}
		}
	}
	rep, err := readRecord(data)
	if err != nil {
		return rep, badInput{fmt.Errorf("%s %w", what, err)}
	}
	return rep, nil
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the run's record: %w", err)
	}
	defer func() { _ = f.Close() }()
	return bounded(f, name)
}

func bounded(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the run's record %s: %w", name, err)
	case len(data) > maxRecord:
		return nil, fmt.Errorf("%s has more than %d MiB, and is no record of a run", name, maxRecord>>20)
	}
	return data, nil
}

// readRecord reads build/ci.json or build/run.json. Its errors go on from the record's name.
func readRecord(data []byte) (rep repetition, err error) {
	var kind struct {
		Version int             `json:"version"`
		Event   json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return rep, fmt.Errorf("is damaged, or no record of a run: %w", err)
	}
	switch {
	case kind.Version > recordFormat:
		return rep, fmt.Errorf("was written by a newer slipway (format %d, and this one knows %d): use the version that the run had", kind.Version, recordFormat)
	case kind.Version < 1:
		return rep, errors.New("is no record of a run: build/ci.json and build/run.json are")
	}
	if kind.Event != nil {
		var r ciRecord
		if err = json.Unmarshal(data, &r); err == nil {
			rep = r.repetition()
		}
	} else {
		var r runRecord
		if err = json.Unmarshal(data, &r); err == nil {
			rep = r.repetition()
		}
	}
	if err != nil {
		return rep, fmt.Errorf("is damaged: %w", err)
	}
	return rep, rep.valid()
}

// valid checks what of a record becomes words of command lines and paths: it may come from
// anywhere.
func (rep repetition) valid() error {
	if !fullCommit.MatchString(rep.commit) {
		return fmt.Errorf("is damaged: it names no commit (%q)", rep.commit)
	}
	if p := rep.with.Project; p == "" || p != filepath.Base(p) || !filepath.IsLocal(p) || strings.HasPrefix(p, "-") {
		return fmt.Errorf("is damaged: it does not say what the repository's directory was called (%q)", p)
	}
	for _, part := range rep.parts {
		for _, s := range part.services {
			if err := pipeline.ValidateName(s); err != nil {
				return fmt.Errorf("is damaged: %w", err)
			}
		}
		if part.before != "" && !fullCommit.MatchString(part.before) {
			return fmt.Errorf("is damaged: %q is no commit", part.before)
		}
		if part.part != event.Deploy {
			continue
		}
		if err := pipeline.ValidateEnvironment(part.env); err != nil {
			return fmt.Errorf("is damaged: %w", err)
		}
	}
	return nil
}

func (r runRecord) repetition() repetition {
	rep := repetition{commit: r.Commit, with: r.With, event: event.Event{Branch: r.Branch}}
	part := repeated{part: event.Check, what: partsNamed(r.Parts)}
	run := repro.Run{With: r.With}
	for _, s := range r.Services {
		part.services = append(part.services, s.Service)
		run.Services = append(run.Services, behaviour(s))
	}
	rep.parts, rep.recorded = []repeated{part}, &run
	return rep
}

func (r ciRecord) repetition() repetition {
	rep := repetition{commit: r.With.Commit, with: r.With, event: r.Event, refused: len(r.Decision.Refused) > 0}
	run := repro.Run{With: r.With}
	if len(r.Results) == 0 {
		run.Error = r.Error
	}
	for _, result := range r.Results {
		part := repeated{part: result.Part, env: result.Env, what: pipeline.Check}
		switch {
		case result.Part == event.Deploy:
			if result.Deploy != nil {
				part.before = result.Deploy.Before
			}
			run.Deploys = append(run.Deploys, deployed(result.Env, result.Exit, result.Error, result.Deploy))
		case result.Run != nil:
			again := result.Run.repetition()
			part.services, part.what = again.parts[0].services, again.parts[0].what
			run.Services = append(run.Services, again.recorded.Services...)
			run.With.Engine, run.With.EngineVersion = result.Run.With.Engine, result.Run.With.EngineVersion
		default: // it did not come to a service
			part.services = r.Decision.Images.Services
			if result.Part == event.Check {
				part.services = slices.DeleteFunc(slices.Clone(r.Decision.Check.Services), func(s string) bool { return slices.Contains(part.services, s) })
			}
			run.Error, run.Pushing = result.Error, result.Part == event.Images
		}
		rep.parts = append(rep.parts, part)
	}
	rep.with, rep.recorded = run.With, &run
	return rep
}

// partsNamed are the parts of these names, without the push: a repetition changes nothing that
// others see.
func partsNamed(names []string) pipeline.Parts {
	has := func(n string) bool { return slices.Contains(names, n) }
	return pipeline.Parts{Lint: has("lint"), Test: has("test"), Image: has("image")}
}

// behaviour is what of a service's record is compared.
func behaviour(s serviceRecord) repro.Service {
	out := repro.Service{Name: s.Service, Tag: s.Tag, Inputs: s.Inputs, Go: s.Go, Digest: s.Digest, Bases: s.Bases, Error: s.Error}
	for _, r := range s.Steps {
		step := repro.Step{ID: r.ID, Name: r.Name, State: repro.Passed, Push: stepPart(s.Service, r.ID) == "push"}
		switch r.State {
		case engine.Failed:
			step.State = repro.Failed
		case engine.Skipped:
			step.State = repro.Skipped
		}
		if f := r.Failure; f != nil {
			step.Failure = &repro.Failure{Exit: f.Exit, Message: f.Message, File: f.File, Line: f.Line, Log: f.Log, Findings: s.Findings[r.ID]}
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

// deployed is what of a deploy is compared.
func deployed(env string, exit int, err string, how *ciDeploy) repro.Deploy {
	d := repro.Deploy{Env: env, Exit: exit, Error: err}
	if how == nil {
		return d
	}
	d.Result = string(how.Result)
	for _, s := range how.Services {
		d.Services = append(d.Services, repro.Deployed{Name: s.Service, State: s.State, Why: s.Why})
	}
	return d
}
