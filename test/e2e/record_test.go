package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"slipway/report"
	"slipway/report/repro"
	"slipway/test/gitrepo"
)

// record is build/run.json as its readers see it; unknown fields are an error, so that a
// field is not renamed unnoticed.
type record struct {
	Version  int
	Started  time.Time
	Took     string
	Commit   string
	Branch   string
	Engine   string
	With     repro.Circumstances
	Parts    []string
	OK       bool
	Services []struct {
		Service, Tag, Commit, Inputs, Go, Image, Digest, Error string

		Bases    map[string]string
		Findings map[string][]report.Finding
		Reused   *struct {
			Entry, Digest, Commit, Key, Run string

			BuiltHere bool
		}
		Steps []struct {
			ID, Name, State string
			Took            time.Duration
			Failure         *struct {
				Exit, Line         int
				Message, File, Log string
			}
		}
	}
}

func readRecord(t testing.TB, r *gitrepo.Repo) record {
	t.Helper()
	return readRecordOn(t, r, "embedded BuildKit")
}

// readRecordOn is readRecord for another engine.
func readRecordOn(t testing.TB, r *gitrepo.Repo, engine string) record {
	t.Helper()
	var rec record
	dec := json.NewDecoder(strings.NewReader(read(t, file(r, "build/run.json"))))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rec); err != nil {
		t.Fatalf("build/run.json: %v", err)
	}
	if rec.Version != 1 || rec.Commit != r.Head() || rec.Engine != engine {
		t.Errorf("build/run.json: version %d, commit %s, engine %q", rec.Version, rec.Commit, rec.Engine)
	}
	if rec.With.Commit != rec.Commit || rec.With.Engine != engine || rec.With.Project == "" || rec.With.EngineVersion == "" && !strings.HasPrefix(engine, "Docker ") && engine != "no engine" {
		t.Errorf("build/run.json: what the run depends on is %+v", rec.With)
	}
	return rec
}

// states are how a service's steps ended, "build alpha: cached" and so on, exports aside.
func (r record) states(t testing.TB, service string) map[string]string {
	t.Helper()
	for _, s := range r.Services {
		if s.Service != service {
			continue
		}
		states := map[string]string{}
		for _, step := range s.Steps {
			if !strings.Contains(step.ID, "/export/") {
				states[step.Name] = step.State
			}
		}
		return states
	}
	t.Fatalf("build/run.json does not have %s", service)
	return nil
}
