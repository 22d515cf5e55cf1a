package dagger

import (
	"context"
	"errors"
	"sync"
	"time"

	sdk "dagger.io/dagger"

	"slipway/engine"
	"slipway/engine/schedule"
	"slipway/pipeline"
)

// steps runs a plan's Run, Build and file Export steps as they become ready.
func (b *build) steps(ctx context.Context) error {
	sched := schedule.New(ctx, b.plan, true)
	var wg sync.WaitGroup
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if last(s) {
			continue
		}
		wg.Go(func() {
			sctx, ok := sched.Await(s)
			if !ok {
				b.results.End(s, engine.Skipped, 0, nil)
				sched.End(s, false)
				return
			}
			b.results.Begin(s)
			began := time.Now()
			state, fail, err := b.step(sctx, s)
			switch {
			case err != nil && (errors.Is(context.Cause(sctx), schedule.ErrSkipped) || ctx.Err() != nil || b.gone(ctx, err)):
				state = engine.Skipped // it is not the step's failure
			case err != nil:
				state, fail = engine.Failed, b.explain(s, err)
			}
			b.results.End(s, state, time.Since(began), fail)
			sched.End(s, state == engine.Done || state == engine.Cached)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}

// last are the steps that come when all others have succeeded: see finish.
func last(s *pipeline.Step) bool { return s.Push != nil || s.Export != nil && s.Export.Image }

func (b *build) step(ctx context.Context, s *pipeline.Step) (engine.State, *engine.Failure, error) {
	if s.Export != nil {
		return engine.Done, nil, b.exportFile(ctx, s)
	}
	select {
	case b.runner.slots <- struct{}{}:
		defer func() { <-b.runner.slots }()
	case <-ctx.Done():
		return "", nil, context.Cause(ctx)
	}
	task := b.runner.o.Report.Start("[" + b.plan.Service + "] " + s.Name)
	do := b.buildStep
	if s.Run != nil {
		do = b.runStep
	}
	state, fail, err := do(ctx, s)
	switch {
	case err != nil:
		task.Done(err)
	case fail != nil:
		task.Done(errors.New(fail.Message))
	default:
		task.Done(nil)
	}
	return state, fail, err
}

func (b *build) output(step string) *sdk.Directory {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outputs[step]
}
