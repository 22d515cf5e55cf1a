package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/pipeline"
)

// why is what build:why tells of a service.
type why struct {
	Service  string `json:"service"`
	Affected bool   `json:"affected"`
	// Base is what it is compared with, Fork the commit where HEAD left that.
	Base string `json:"base"`
	Fork string `json:"fork"`
	Tag  string `json:"tag"`
	// Commit is the one that gives the tag: it last changed the inputs.
	Commit  whyCommit `json:"commit"`
	Inputs  string    `json:"inputs"` // their hash
	Changes []change  `json:"changes"`
	// Uncommitted says that some inputs have changes in no commit.
	Uncommitted bool `json:"uncommitted,omitempty"`
}

// change is one input that has changed, with the commit that last changed it.
type change struct {
	pipeline.Cause
	Commit whyCommit `json:"commit"`
	// Uncommitted says that the file differs from HEAD as well.
	Uncommitted bool `json:"uncommitted,omitempty"`
}

type whyCommit struct {
	Hash string    `json:"hash"`
	Time time.Time `json:"time"`
}

// buildWhy tells which inputs of a service have changed since HEAD left a base.
func buildWhy(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, err := openProject(ctx)
	if err != nil {
		return err
	}
	w, err := p.why(ctx, in.args[0], p.base(ctx, in))
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(os.Stdout, w)
	}
	return w.print(os.Stdout)
}

func (p *project) why(ctx context.Context, name, base string) (*why, error) {
	inputs, err := p.inputs([]string{name})
	if err != nil {
		return nil, err
	}
	since, err := p.since(ctx, base)
	if err != nil {
		return nil, err
	}
	// The service itself and each of its changes are looked for in one walk of the history.
	causes := p.tree.Causes(ctx, inputs, since.Comparison)[name]
	wanted := map[string]*pipeline.Inputs{name: inputs[name]}
	for _, c := range causes {
		wanted[whose(c)] = c.Only()
	}
	tags, err := p.tree.Tags(ctx, wanted, func(w string) { fmt.Fprintln(os.Stderr, "slipway: warning:", w) })
	if err != nil {
		return nil, err
	}
	own := tags[name]
	w := &why{
		Service: name, Affected: len(causes) > 0, Base: since.Base, Fork: since.Fork, Tag: own.String(), Commit: whyCommit{own.Commit, own.Time},
		Inputs: inputs[name].Hash, Changes: []change{}, Uncommitted: own.Dirty,
	}
	for _, c := range causes {
		t := tags[whose(c)]
		w.Changes = append(w.Changes, change{Cause: c, Commit: whyCommit{t.Commit, t.Time}, Uncommitted: t.Dirty})
	}
	return w, nil
}

// whose names what a commit is looked for, for people as well; it is no service's name.
func whose(c pipeline.Cause) string { return c.Path + " (" + c.Kind + ")" }

// shownLines are enough of a file that has changed in many.
const shownLines = 12

func (w *why) print(out io.Writer) error {
	from := fmt.Sprintf("%s (%.8s)", w.Base, w.Fork)
	if strings.HasPrefix(w.Fork, w.Base) {
		from = w.Fork[:8]
	}
	if !w.Affected {
		_, err := fmt.Fprintf(out, "%s is not affected: it is built of nothing that has changed since %s\nits tag is %s: commit %.8s of %s last changed its inputs\n",
			w.Service, from, w.Tag, w.Commit.Hash, w.Commit.Time.Format(time.DateOnly))
		return err
	}
	if _, err := fmt.Fprintf(out, "%s is affected since %s:\n", w.Service, from); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, c := range w.Changes {
		by := "not committed"
		if !c.Uncommitted {
			by = fmt.Sprintf("commit %.8s of %s", c.Commit.Hash, c.Commit.Time.Format(time.DateOnly))
		}
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\n", c.Path, c.Kind, by)
		for i, l := range c.Lines {
			if i == shownLines {
				_, _ = fmt.Fprintf(table, "      and %d more (-json=true names all)\n", len(c.Lines)-i)
				break
			}
			_, _ = fmt.Fprintf(table, "      %s\n", l)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing what has changed: %w", err)
	}
	tail := fmt.Sprintf("commit %.8s of %s gives it", w.Commit.Hash, w.Commit.Time.Format(time.DateOnly))
	if w.Uncommitted {
		tail += ", and what is not committed its end"
	}
	_, err := fmt.Fprintf(out, "its tag is %s: %s\n", w.Tag, tail)
	return err
}
