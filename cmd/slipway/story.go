package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway/engine/display"
	"slipway/progress/recording"
	"slipway/report/timeline"
	"slipway/report/trace"
)

// story is what this run of slipway tells when it is over: a page, build/report.html, and a
// trace. Both are made of one recording.
type story struct {
	command  string
	args     []string
	recorder *recording.Recorder
	dir      string // where the page goes, "" as long as no repository is known
	facts    []recording.Fact
	verdicts []string // of deploys
	repeat   string   // the command that does the same, where that is not this one

	deployments map[string]*deployment // by environment
}

// withStory are the commands that are worth a story. Those of secrets are not among them.
var withStory = []string{"build:service", "build:all", "build:lint", "build:test", "image:push", "ci:run", "deploy:env", "deploy:rollback", "deploy:remove", "dev:up"}

// ownWork is the group of what slipway does for all services together.
const ownWork = "slipway"

// deployOf is the group of a deploy.
func deployOf(env string) string { return "deploy " + env }

func newStory(argv []string) *story {
	s := &story{recorder: recording.New(time.Now)}
	if len(argv) > 0 {
		s.command, s.args = argv[0], argv[1:]
	}
	return s
}

type storyKey struct{}

// in is a context whose commands are part of the story.
func (s *story) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, storyKey{}, s)
}

// storyOf is the story that a command is part of; one that nobody tells, where there is none.
func storyOf(ctx context.Context) *story {
	if s, ok := ctx.Value(storyKey{}).(*story); ok {
		return s
	}
	return newStory(nil)
}

// about says where the story takes place.
func (s *story) about(p *project) {
	s.dir = p.buildDir()
	s.fact("commit", p.tree.Head)
	s.fact("branch", p.tree.Branch)
}

func (s *story) fact(name, value string) {
	if f := (recording.Fact{Name: name, Value: value}); value != "" && !slices.Contains(s.facts, f) {
		s.facts = append(s.facts, f)
	}
}

// scope records into a group.
func (s *story) scope(name string) *recording.Scope { return s.recorder.In(name) }

// display shows what is done on stderr, and records it into a group.
func (p *project) display(group string) (*display.Display, error) {
	show, err := display.New(os.Stderr, p.env.progress, group)
	if err != nil {
		return nil, badInput{err}
	}
	show.Record(p.story.scope(group))
	return show, nil
}

// tell ends the story. What keeps it from being told is a warning: the work is done.
func (s *story) tell(ctx context.Context, err error) {
	if !slices.Contains(withStory, s.command) || s.dir == "" {
		return
	}
	if _, early := errors.AsType[notBegun](err); early || err != nil && (s.recorder.Empty() || exitCode(err) == exitBadInput) {
		return // there is nothing to tell but what stderr says
	}
	r := s.ended(ctx, err)
	if page, fault := timeline.Render(r, timeline.Limit); fault != nil {
		fmt.Fprintln(os.Stderr, "slipway: warning:", fault)
	} else if fault := writeReport(s.dir, page); fault != nil {
		fmt.Fprintln(os.Stderr, "slipway: warning:", fault)
	}
	// A run that was stopped is sent too, within the same time.
	if fault := trace.Send(context.WithoutCancel(ctx), r); fault != nil {
		fmt.Fprintln(os.Stderr, "slipway: warning:", fault)
	}
}

// ended is the whole story, with how it ended.
func (s *story) ended(ctx context.Context, err error) recording.Recording {
	stopped := context.Cause(ctx)
	r := s.recorder.Recording(stopped)
	r.Title = strings.Join(append([]string{s.command}, s.args...), " ")
	r.Facts, r.Repeat = s.facts, s.repeat
	if r.Repeat == "" && err != nil {
		r.Repeat = "go tool mage " + r.Title
	}
	r.State, r.Verdict = recording.Done, strings.Join(s.verdicts, "; ")
	if err != nil {
		r.State, r.Exit = recording.Failed, exitCode(err)
		why, verdict := err.Error(), err.Error()
		if stopped != nil {
			r.State, why, verdict = recording.Interrupted, stopped.Error(), "interrupted: "+stopped.Error()
		}
		if !slices.ContainsFunc(s.verdicts, func(v string) bool { return strings.Contains(v, why) }) {
			r.Verdict = strings.Join(append(slices.Clone(s.verdicts), verdict), "; ")
		}
	}
	if r.Verdict == "" {
		r.Verdict = string(r.State)
	}
	return r
}

// writeReport replaces build/report.html.
func writeReport(dir string, page []byte) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = replaceFile(filepath.Join(dir, "report.html"), page, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}
