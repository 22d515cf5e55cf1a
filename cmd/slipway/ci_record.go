package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"slipway/deploy/apply"
	"slipway/deploy/watch"
	"slipway/pipeline/event"
	"slipway/report/repro"
)

// ciRecord is build/ci.json: what an event asked for, why, and what came of it.
type ciRecord struct {
	Version int       `json:"version"`
	Started time.Time `json:"started"`
	Took    string    `json:"took"`
	// With is what the run depends on; engines are those of its parts.
	With     repro.Circumstances `json:"with"`
	Event    event.Event         `json:"event"`
	Only     event.Part          `json:"only,omitempty"` // the job's part, "" for all
	Env      string              `json:"env,omitempty"`
	Decision event.Decision      `json:"decision"`
	Results  []ciResult          `json:"results"`
	OK       bool                `json:"ok"`
	Exit     int                 `json:"exit"`
	Error    string              `json:"error,omitempty"`
	// Repeat is the command that does the same at the same commit.
	Repeat string `json:"repeat"`

	talk *talk
}

// ciResult is how one part went.
type ciResult struct {
	Part     event.Part  `json:"part"`
	Env      string      `json:"env,omitempty"`
	Services []ciService `json:"services,omitempty"`
	// Run is the part's build, as build/run.json has it until the next part builds.
	Run *runRecord `json:"run,omitempty"`
	// Deploy is how the part's deploy ended; nil where nothing was written.
	Deploy *ciDeploy `json:"deploy,omitempty"`
	OK     bool      `json:"ok"`
	Exit   int       `json:"exit"`
	Error  string    `json:"error,omitempty"`
}

// ciService is how it went with one service; build/run.json has its steps.
type ciService struct {
	Service string `json:"service"`
	Tag     string `json:"tag"`
	Image   string `json:"image,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Error   string `json:"error,omitempty"`
}

// built runs a build of services, if there are any, and takes its results from build/run.json.
func (r *ciRecord) built(part event.Part, p *project, services []string, build func() error) error {
	if len(services) == 0 {
		return nil
	}
	file := filepath.Join(p.buildDir(), "run.json")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the record of an earlier run: %w", err)
	}
	err := build()
	result := ciResult{Part: part}
	var run runRecord
	if data, fault := os.ReadFile(file); fault == nil && json.Unmarshal(data, &run) == nil {
		for _, s := range run.Services {
			result.Services = append(result.Services, s.outcome())
		}
		result.Run = &run
	}
	r.did(result, err)
	r.talk.did(part, p.built, err)
	return err
}

// ciDeploy is what of a deploy's verdict a repetition is held against: no logs.
type ciDeploy struct {
	Result   apply.Result `json:"result"`
	Release  int          `json:"release,omitempty"`
	Before   string       `json:"before,omitempty"` // commit of the last release that went well before
	Services []ciDeployed `json:"services"`
}

type ciDeployed struct {
	Service string `json:"service"`
	State   string `json:"state"`
	Why     string `json:"why,omitempty"`
}

// keptDeploy keeps a verdict, nil for none.
func keptDeploy(v *apply.Verdict) *ciDeploy {
	if v == nil {
		return nil
	}
	out := &ciDeploy{Result: v.Result, Release: v.Release, Before: v.Before}
	for _, s := range v.Services {
		one := ciDeployed{Service: s.Key, State: string(s.State)}
		if s.Back {
			one.State = "taken back"
		}
		if s.Reason != nil && s.State != watch.Done {
			one.Why = s.Reason.Message
		}
		out.Services = append(out.Services, one)
	}
	return out
}

func (s serviceRecord) outcome() ciService {
	out := ciService{Service: s.Service, Tag: s.Tag, Image: s.Image, Digest: s.Digest, Error: s.Error}
	for _, step := range s.Steps {
		if step.Failure != nil && out.Error == "" {
			out.Error = step.Failure.Message
		}
	}
	return out
}

func (r *ciRecord) did(result ciResult, err error) {
	result.OK = err == nil
	if err != nil {
		result.Exit, result.Error = exitCode(err), err.Error()
	}
	r.Results = append(r.Results, result)
}

// env is the environment whose deploy was the last thing done, "" where it came to none.
func (r *ciRecord) env() string {
	if len(r.Results) == 0 {
		return ""
	}
	return r.Results[len(r.Results)-1].Env
}

func (r *ciRecord) end(err error) {
	r.Took = time.Since(r.Started).Round(time.Millisecond).String()
	r.OK = err == nil
	if err != nil {
		r.Exit, r.Error = exitCode(err), err.Error()
	}
}

// writeCI replaces build/ci.json.
func (p *project) writeCI(r ciRecord) error {
	var out bytes.Buffer
	if err := writeJSON(&out, r); err != nil {
		return err
	}
	return writeWhole(p.buildDir(), "ci.json", out.Bytes())
}

// writeWhole writes a file of the build directory, all of it or nothing.
func writeWhole(dir, name string, data []byte) error {
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the build directory: %w", err)
	}
	if err := replaceFile(file, data, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
