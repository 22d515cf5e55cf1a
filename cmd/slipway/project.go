package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"slipway/engine"
	"slipway/engine/cabundle"
	"slipway/pipeline"
	"slipway/pipeline/worktree"
	"slipway/tools"
)

// project is the repository that a command works on.
type project struct {
	env  machine
	tree *worktree.Worktree
	repo *pipeline.Repo

	story *story
	built []outcome // by the last build
	used  usedEngine
	local bool          // images go to the registry of dev:up alone, uncommitted changes and all
	shell *engine.Shell // opened in the first step that fails; nil for none

	reuse reuseMode // what counts of earlier work
	keeps bool      // what is pushed is kept for reuse

	checkouts *project // the clone that this one is a worktree of, in a repetition
}

// openProject reads the repository of the current directory.
func openProject(ctx context.Context) (*project, error) {
	env, err := readEnvironment()
	if err != nil {
		return nil, err
	}
	place, err := placeOf(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := worktree.Open(ctx, place.dir)
	if err != nil {
		return nil, badInput{err}
	}
	tree.Branch = cmp.Or(place.branch, tree.Branch)
	repo, err := pipeline.Discover(tree.Tree, filepath.Base(tree.Root), pipeline.Platform{OS: "linux", Arch: runtime.GOARCH})
	if err != nil {
		return nil, badInput{err}
	}
	p := &project{env: env, tree: tree, repo: repo, story: storyOf(ctx)}
	p.story.about(p)
	return p, nil
}

// drafts are the plans of services, each once, without their tags.
func (p *project) drafts(names []string, parts pipeline.Parts) ([]*pipeline.Draft, error) {
	bundle := sha256.Sum256(cabundle.PEM())
	req := pipeline.Request{
		Parts: parts, Tools: tools.Set(), Toolchain: p.env.toolchain, Registry: p.env.registry,
		Source: worktree.SourceURL(p.tree.Origin), CABundle: hex.EncodeToString(bundle[:]),
	}
	var drafts []*pipeline.Draft
	seen := map[string]bool{}
	for _, name := range names {
		s, err := p.repo.Service(name)
		if err != nil {
			return nil, badInput{err}
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		d, err := p.repo.Draft(s, req)
		if err != nil {
			return nil, badInput{err}
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// plans makes the plans of services.
func (p *project) plans(ctx context.Context, names []string, parts pipeline.Parts) (plans []*pipeline.Plan, err error) {
	task := p.story.scope(ownWork).Start("planning")
	defer func() { task.Done(err) }()
	drafts, err := p.drafts(names, parts)
	if err != nil {
		return nil, err
	}
	inputs := map[string]*pipeline.Inputs{}
	for _, d := range drafts {
		inputs[d.Service()] = d.Inputs()
	}
	tags, err := p.tree.Tags(ctx, inputs, func(w string) { fmt.Fprintln(os.Stderr, "slipway: warning:", w) })
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		plan, err := d.Plan(tags[d.Service()])
		if err != nil {
			return nil, badInput{err}
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// buildDir is where outputs go.
func (p *project) buildDir() string { return filepath.Join(p.tree.Root, "build") }
