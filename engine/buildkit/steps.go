package buildkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"

	"slipway/engine"
	"slipway/engine/schedule"
	"slipway/pipeline"
)

// errStepFailed ends a build some of whose steps failed; the results say which.
var errStepFailed = errors.New("a step failed")

// steps runs a plan's Run, Build and file Export steps as they become ready. It is the
// build function that BuildKit calls back.
func (b *build) steps(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
	if err := b.newGraph(ctx, gw); err != nil {
		return nil, err
	}
	known := map[digest.Digest]bool{}
	runs := map[string]*pb.Definition{}
	heads := map[string]digest.Digest{}
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Run == nil {
			continue
		}
		def, head, err := b.draw(ctx, s, "")
		if err != nil {
			return nil, err
		}
		runs[s.ID], heads[s.ID], known[head] = def, head, true
	}
	sched := schedule.New(ctx, b.plan, b.runner.o.Warm)
	var wg sync.WaitGroup
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Push != nil || s.Export != nil && s.Export.Image {
			continue // after the build: see build.run
		}
		wg.Go(func() {
			sctx, ok := sched.Await(s)
			if !ok {
				b.results.End(s, engine.Skipped, 0, nil)
				sched.End(s, false)
				return
			}
			b.results.Begin(s)
			began := now()
			var state engine.State
			var fail *engine.Failure
			var err error
			switch {
			case s.Run != nil:
				state, fail, err = b.runStep(sctx, gw, s, runs[s.ID], heads[s.ID])
			case s.Build != nil:
				state, fail, err = b.buildStep(sctx, gw, s, known)
			default:
				state, err = engine.Done, b.exportFile(sctx, s)
			}
			switch {
			case err != nil && errors.Is(context.Cause(sctx), schedule.ErrSkipped):
				state = engine.Skipped
			case err != nil && ctx.Err() != nil:
				state = engine.Skipped
			case err != nil && b.gone(ctx, err):
				state = engine.Skipped // it is not the step's failure
			case err != nil:
				state, fail = engine.Failed, b.explain(s, err)
				b.remember(s, "", err)
			}
			b.results.End(s, state, now().Sub(began), fail)
			sched.End(s, state == engine.Done || state == engine.Cached)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := b.lostEngine(); err != nil {
		return nil, err
	}
	if b.results.AnyFailed() {
		b.look(ctx, gw)
		return nil, errStepFailed
	}
	return b.imageResult(ctx)
}

func (b *build) draw(ctx context.Context, s *pipeline.Step, attempt string) (*pb.Definition, digest.Digest, error) {
	st, err := b.graph.run(s, attempt)
	if err != nil {
		return nil, "", err
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("drawing step %s: %w", s.ID, err)
	}
	head, err := def.Head()
	if err != nil {
		return nil, "", fmt.Errorf("drawing step %s: %w", s.ID, err)
	}
	return def.ToPB(), head, nil
}

// solve evaluates a definition and keeps its result as the step's.
func (b *build) solve(ctx context.Context, gw gateway.Client, s *pipeline.Step, req gateway.SolveRequest) (*gateway.Result, error) {
	select {
	case b.runner.slots <- struct{}{}:
		defer func() { <-b.runner.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	req.Evaluate = true
	res, err := gw.Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.refs[s.ID] = ref
	b.mu.Unlock()
	return res, nil
}

// runStep runs a command. A verdict that says "failed" and comes from the cache is not
// believed: the command is run again, for the failure may have been the network's, and
// who repeats a failed command wants it to happen.
func (b *build) runStep(ctx context.Context, gw gateway.Client, s *pipeline.Step, def *pb.Definition, head digest.Digest) (engine.State, *engine.Failure, error) {
	if _, err := b.solve(ctx, gw, s, gateway.SolveRequest{Definition: def}); err != nil {
		return "", nil, err
	}
	ran, err := b.tracker.ended(ctx, head)
	if err != nil {
		return "", nil, err
	}
	state := engine.Cached
	if ran {
		state = engine.Done
	}
	if !s.Run.Verdict {
		return state, nil, nil
	}
	exit, err := b.verdict(ctx, s)
	if err != nil {
		return "", nil, err
	}
	if exit != 0 && !ran {
		attempt := rand.Text()
		again, newHead, err := b.draw(ctx, s, attempt)
		if err != nil {
			return "", nil, err
		}
		if _, err := b.solve(ctx, gw, s, gateway.SolveRequest{Definition: again}); err != nil {
			return "", nil, err
		}
		if exit, err = b.verdict(ctx, s); err != nil {
			return "", nil, err
		}
		state, head = engine.Done, newHead
		b.remember(s, attempt, nil)
	}
	if exit == 0 {
		return state, nil, nil
	}
	b.mu.Lock()
	b.vertexOf(s.ID, head)
	b.mu.Unlock()
	fail := &engine.Failure{Exit: exit, Message: fmt.Sprintf("%s failed with exit status %d", s.Name, exit), Reports: map[string][]byte{}}
	for _, name := range []string{"test.json", "lint.json"} {
		if data, err := b.read(ctx, s.ID, name); err == nil {
			fail.Reports[name] = data
		}
	}
	// Reports of a failure are exported as those of a success are.
	for i := range b.plan.Steps {
		if e := &b.plan.Steps[i]; e.Export != nil && e.Export.Step == s.ID && !e.Export.Image {
			if err := b.exportFile(ctx, e); err != nil {
				return "", nil, err
			}
		}
	}
	return engine.Failed, fail, nil
}

func (b *build) verdict(ctx context.Context, s *pipeline.Step) (int, error) {
	data, err := b.read(ctx, s.ID, "exit")
	if err != nil {
		return 0, fmt.Errorf("%s ended without a verdict (no %s/exit): %w", s.Name, outDir, err)
	}
	exit, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("%s ended with the verdict %q, which is no exit status", s.Name, data)
	}
	return exit, nil
}

// exportFile writes one file of a step's output below the build directory, whole or not
// at all. A report that the step did not make (no tests, no coverage) is left out.
func (b *build) exportFile(ctx context.Context, s *pipeline.Step) error {
	e := s.Export
	from := b.plan.Step(e.Step)
	if b.results.Is(e.Step, engine.Cached) && b.last.has(b.job.Build, e.To) {
		return nil
	}
	mode, err := b.mode(ctx, e.Step, e.Path)
	if err != nil {
		if from != nil && from.Run != nil && from.Run.Verdict {
			return nil
		}
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	data, err := b.read(ctx, e.Step, e.Path)
	if err != nil {
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	return b.scratch.Write(filepath.Join(b.job.Build, filepath.FromSlash(e.To)), data, mode)
}
