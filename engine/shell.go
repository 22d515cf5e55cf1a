package engine

import (
	"context"
	"io"

	"slipway/pipeline"
)

// Looker is an engine that can open a shell in what a failed step has left (Job.Shell).
type Looker interface{ MayLook() }

// Shell is a person's look into a failed step: a shell in its container, with its files as
// they were when it failed.
type Shell struct {
	In       io.ReadCloser
	Out, Err io.WriteCloser
	// TTY says that In and Out are a terminal, whose sizes come from Sizes.
	TTY   bool
	Sizes <-chan Size
	// Opens is called just before the shell starts; what it gives back, when it has ended.
	Opens func(step *pipeline.Step, dir string) (closes func())
	// Trouble is set by the engine: why there was no shell, nil where there was.
	Trouble error
	// Opened is set by the engine.
	Opened bool
}

// Size is a terminal's, in characters.
type Size struct{ Rows, Columns uint32 }

// Versioned is an engine that knows its version where its name does not have it.
type Versioned interface {
	// Version asks the engine; "" where it does not say.
	Version(ctx context.Context) string
}
