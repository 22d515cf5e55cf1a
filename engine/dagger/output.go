package dagger

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"slipway/pipeline"
)

// exportFile writes one file of a step's output below the build directory, whole or not
// at all. A report that the step did not make (no tests, no coverage) is left out.
func (b *build) exportFile(ctx context.Context, s *pipeline.Step) error {
	e := s.Export
	from := b.plan.Step(e.Step)
	if from != nil && from.Run != nil && from.Run.Verdict {
		there, err := b.output(e.Step).Exists(ctx, e.Path)
		if err != nil || !there {
			return err
		}
	}
	tmp, mode, err := b.fetch(ctx, e.Step, e.Path)
	if err != nil {
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	to := filepath.Join(b.job.Build, filepath.FromSlash(e.To))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	if err := os.Chmod(tmp, mode); err != nil {
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("exporting %s: %w", e.To, err)
	}
	return nil
}

// fetch brings a file of a step's output into the scratch directory, with its permissions.
// (Contents would give it as a string, which JSON does not carry byte by byte.)
func (b *build) fetch(ctx context.Context, step, file string) (string, os.FileMode, error) {
	f := b.output(step).File(file)
	mode, err := f.Stat().Permissions(ctx)
	if err != nil {
		return "", 0, err
	}
	dir, err := os.MkdirTemp(b.scratch.Path, "fetch-*")
	if err != nil {
		return "", 0, err
	}
	tmp := filepath.Join(dir, filepath.Base(file))
	if _, err := f.Export(ctx, tmp); err != nil {
		return "", 0, err
	}
	return tmp, fs.FileMode(mode).Perm(), nil
}

// read returns a file of a step's output, where it is there.
func (b *build) read(ctx context.Context, step, file string) (data []byte, there bool, err error) {
	if there, err = b.output(step).Exists(ctx, file); err != nil || !there {
		return nil, there, err
	}
	tmp, _, err := b.fetch(ctx, step, file)
	if err != nil {
		return nil, true, err
	}
	data, err = os.ReadFile(tmp)
	return data, true, err
}
