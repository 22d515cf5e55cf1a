package dagger

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"slipway/engine"
	"slipway/pipeline"
)

// finish exports the image and pushes it, where the plan says so and all else has succeeded.
func (b *build) finish(ctx context.Context, result *engine.Result) error {
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Export == nil || !s.Export.Image {
			continue
		}
		b.results.Begin(s)
		began := time.Now()
		digest, err := b.exportImage(ctx, filepath.Join(b.job.Build, filepath.FromSlash(s.Export.To)))
		if err != nil {
			return fmt.Errorf("exporting the image of %s: %w", b.plan.Service, err)
		}
		result.Digest = digest
		b.results.End(s, engine.Done, time.Since(began), nil)
		if err := b.push(ctx, s.Export, result); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) push(ctx context.Context, from *pipeline.Export, result *engine.Result) error {
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		if s.Push == nil {
			continue
		}
		task := b.runner.o.Report.Start("push " + b.plan.Ref())
		b.results.Begin(s)
		began := time.Now()
		digest, err := b.job.Push.PushLayout(ctx, filepath.Join(b.job.Build, filepath.FromSlash(from.To)), b.plan)
		task.Done(err)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			b.results.End(s, engine.Failed, time.Since(began), &engine.Failure{Message: err.Error()})
			continue
		}
		result.Digest = digest
		b.results.End(s, engine.Done, time.Since(began), nil)
	}
	return nil
}
