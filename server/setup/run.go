package setup

import (
	"context"
	"fmt"
	"io"
	"strings"

	"slipway/progress"
	"slipway/secret"
)

// Did is what a setup has done.
type Did struct {
	Changed []string // what was brought about, as the steps call it
	Settled int      // steps that had nothing to do
}

// Apply does what is not so yet. What a step has done is looked at again with its check, so that
// a second run finds nothing to do.
func (h *Host) Apply(ctx context.Context, p *Plan, show progress.Reporter) (did Did, err error) {
	err = h.pending(ctx, p, &did, func(s Step) error {
		task := show.Start(s.Does)
		err := h.step(ctx, s, task)
		task.Done(err)
		if err == nil {
			did.Changed = append(did.Changed, s.Does)
		}
		return err
	})
	return did, err
}

// pending calls do for each step that is not so yet, and counts the others.
func (h *Host) pending(ctx context.Context, p *Plan, did *Did, do func(Step) error) error {
	for _, s := range p.Steps {
		so, err := h.check(ctx, s)
		switch {
		case err != nil:
			return err
		case so:
			did.Settled++
			continue
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) check(ctx context.Context, s Step) (bool, error) {
	got, err := h.Root(ctx, "{ "+s.Check+"; } > /dev/null 2>&1", input(s.Input))
	if err != nil {
		return false, fmt.Errorf("looking whether there is %s on %s: %w", s.Does, h, err)
	}
	return got.Exit == 0, nil
}

func (h *Host) step(ctx context.Context, s Step, task progress.Task) error {
	var err error
	switch {
	case s.Join != nil:
		err = h.join(ctx, *s.Join)
	case s.Guard != nil:
		err = h.guarded(ctx, s, task)
	default:
		err = h.run(ctx, s.Run, s.Input, task)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Does, err)
	}
	so, err := h.check(ctx, s)
	if err == nil && !so {
		err = fmt.Errorf("%s: it was done, and is not so all the same; what looks at it is: %s", s.Does, s.Check)
	}
	return err
}

// run runs commands as root, each of which must succeed.
func (h *Host) run(ctx context.Context, commands []string, stdin secret.Value, task progress.Task) error {
	for _, c := range commands {
		got, err := h.Root(ctx, c, input(stdin))
		if err != nil {
			return err
		}
		if got.Exit != 0 {
			for line := range strings.Lines(got.Stdout + got.Stderr) {
				task.Log(strings.TrimRight(line, "\r\n"))
			}
			return &CommandError{Host: h.String(), Command: c, Exit: got.Exit, Said: lastLine(got.Stderr)}
		}
	}
	return nil
}

func input(v secret.Value) io.Reader { return strings.NewReader(v.Reveal()) }

// CommandError is a command of a step that failed.
type CommandError struct {
	Host, Command, Said string
	Exit                int
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("on %s this command ended with exit code %d (%s): %s", e.Host, e.Exit, e.Said, e.Command)
}

// Preview writes the commands of all steps that are not so yet, and runs none of them. Those of
// later steps may turn out to have less to do, once earlier ones have been done.
func (h *Host) Preview(ctx context.Context, p *Plan, out io.Writer) (did Did, err error) {
	err = h.pending(ctx, p, &did, func(s Step) error {
		did.Changed = append(did.Changed, s.Does)
		_, err := io.WriteString(out, s.String())
		return err
	})
	return did, err
}

// String is the step as a script for root, in which what is not a command is a remark.
func (s Step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", s.Does)
	if !s.Input.Empty() {
		fmt.Fprintf(&b, "# (on standard input: %s)\n", s.Of)
	}
	for _, c := range s.Run {
		fmt.Fprintln(&b, c)
	}
	if g := s.Guard; g != nil {
		fmt.Fprintf(&b, "# then, with a login through it, and the file put back where that fails:\n# %sPORT\n%s\n# then another login; where that fails:\n# %s && %s\n", g.Trial, g.Commit, g.Undo, g.Commit)
	}
	if j := s.Join; j != nil {
		fmt.Fprintf(&b, "# by a request to Docker, so that the token is in no command line, and as this would do:\n# docker swarm join --advertise-addr %s --token TOKEN %s\n", j.Advertise, strings.Join(j.Managers, " "))
	}
	b.WriteString("\n")
	return b.String()
}
