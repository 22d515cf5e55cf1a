package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"slipway/engine"
	"slipway/pipeline"
	"slipway/pipeline/event"
	"slipway/report/repro"
)

// usedEngine is the engine of the last build.
type usedEngine struct{ name, version string }

func engineOf(ctx context.Context, e engine.Engine) usedEngine {
	used := usedEngine{name: e.Name()}
	if v, ok := e.(engine.Versioned); ok {
		used.version = v.Version(ctx)
	}
	return used
}

// circumstances are what a run here depends on beside its commit.
func (p *project) circumstances() repro.Circumstances {
	return repro.Circumstances{
		Commit: p.tree.Head, Project: filepath.Base(p.tree.Root), Slipway: ownCommit(p.env.home), Engine: p.used.name, EngineVersion: p.used.version,
		Platform: "linux/" + runtime.GOARCH, Registry: p.env.registry, Toolchain: p.env.toolchain, Mirrors: withoutUsers(p.env.mirrors), Changed: p.tree.Changed,
	}
}

// ownCommit is the commit that slipway was compiled from, else (Go does not write it down where
// -buildvcs=false is set) that of its source in home; "" where neither is known.
func ownCommit(home string) string {
	commit, dirty := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "-dirty"
			}
		}
	}
	if commit != "" {
		return commit + dirty
	}
	cmd := exec.Command("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
	cmd.Dir = home
	out, err := cmd.Output()
	if err != nil {
		return "" // a source without its history
	}
	return strings.TrimSpace(string(out))
}

// withoutUsers takes credentials out of addresses.
func withoutUsers(addresses []string) (out []string) {
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && u.User != nil {
			u.User = nil
			a = u.String()
		}
		out = append(out, a)
	}
	return out
}

// repeatable is the commit that repeats a run: "" for a work tree that is not as any commit.
// In CI what is not committed is what jobs leave.
func (p *project) repeatable(e event.Event) string {
	if e.System == "" && len(p.tree.Changed) > 0 {
		return ""
	}
	return p.tree.Head
}

// partsOf names the parts that a plan has.
func partsOf(plan *pipeline.Plan) (out []string) {
	for _, part := range []string{"lint", "test", "image", "push"} {
		if plan.Step(plan.Service+"/"+part) != nil {
			out = append(out, part)
		}
	}
	return out
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// workplace is where a command works: the current directory, or a worktree made for a
// repetition, whose HEAD is on no branch.
type workplace struct{ dir, branch string }

type workplaceKey struct{}

func (w workplace) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, workplaceKey{}, w)
}

func placeOf(ctx context.Context) (workplace, error) {
	if w, ok := ctx.Value(workplaceKey{}).(workplace); ok {
		return w, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return workplace{}, fmt.Errorf("finding the current directory: %w", err)
	}
	return workplace{dir: dir}, nil
}

// stepPart is a step's name within its service.
func stepPart(service, id string) string { return strings.TrimPrefix(id, service+"/") }
