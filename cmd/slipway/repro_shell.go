package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/containerd/console"

	"slipway/engine"
	"slipway/pipeline"
)

// mayLook refuses -shell=true where the engine cannot do it, before anything runs.
func (p *project) mayLook(e engine.Engine) error {
	if _, ok := e.(engine.Looker); p.shell == nil || ok {
		return nil
	}
	return badInput{fmt.Errorf("%s gives no look into a failed step: for -shell=true set SLIPWAY_ENGINE=embedded, or another BuildKit's address", e.Name())}
}

// terminal is the shell of -shell=true: on the terminal where there is one, else with what
// comes on standard input. It is nil without the flag.
func (how repeating) terminal() *engine.Shell {
	if !how.shell {
		return nil
	}
	sh := &engine.Shell{In: stay{os.Stdin}, Out: open{os.Stdout}, Err: open{os.Stderr}}
	sh.Opens = func(step *pipeline.Step, dir string) func() {
		output := "; its output is in /out"
		if step.Run == nil {
			output = ""
		}
		fmt.Fprintf(os.Stderr, "\nslipway: a shell in what %q left, in %s%s. Ctrl-D or exit ends it\n", step.Name, dir, output)
		return func() {}
	}
	term, err := console.ConsoleFromFile(os.Stdin)
	if err != nil {
		return sh
	}
	sizes := make(chan engine.Size, 1)
	sh.TTY, sh.Sizes = true, sizes
	say := sh.Opens
	sh.Opens = func(step *pipeline.Step, dir string) func() {
		say(step, dir)
		if err := term.SetRaw(); err != nil {
			fmt.Fprintln(os.Stderr, "slipway: warning: the terminal shows what is typed twice:", err)
		}
		stop := follow(term, sizes)
		return func() {
			stop()
			_ = term.Reset() // nothing better is left to do
		}
	}
	return sh
}

// follow tells of the terminal's size, now and when it changes.
func follow(term console.Console, sizes chan<- engine.Size) (stop func()) {
	changed, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(changed, syscall.SIGWINCH)
	go func() {
		for {
			if s, err := term.Size(); err == nil && s.Height > 0 {
				select {
				case sizes <- engine.Size{Rows: uint32(s.Height), Columns: uint32(s.Width)}:
				case <-ended:
					return
				}
			}
			select {
			case <-changed:
			case <-ended:
				return
			}
		}
	}()
	return func() {
		signal.Stop(changed)
		close(ended)
	}
}

// looked says what became of the shell.
func (p *project) looked(w io.Writer) {
	switch {
	case p.shell == nil:
	case p.shell.Trouble != nil:
		_, _ = fmt.Fprintln(w, "slipway:", p.shell.Trouble)
	case !p.shell.Opened && slices.ContainsFunc(p.built, func(o outcome) bool { return o.err != nil }):
		_, _ = fmt.Fprintf(w, "slipway: %s does not tell which step failed, so there is none to open a shell in: try SLIPWAY_ENGINE=embedded\n", p.used.name)
	case !p.shell.Opened:
		_, _ = fmt.Fprintln(w, "slipway: no step failed here, so there is none to open a shell in")
	}
}

// stay and open are streams that a shell's end does not close.
type stay struct{ io.Reader }

func (stay) Close() error { return nil }

type open struct{ io.Writer }

func (open) Close() error { return nil }

// rootName is the directory's own name.
func (p *project) rootName() string { return filepath.Base(p.tree.Root) }
