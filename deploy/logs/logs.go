package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"slipway/deploy/live"
)

// Options say which lines.
type Options struct {
	Follow bool   // go on with what is yet to come, until the context ends
	Tail   string // the last so many of each task, or "all"
	Since  string // a time as Docker takes it ("10m", RFC 3339), "" for any
}

// Read gives the lines of services of a stack, both streams together. emit is called for one
// line at a time, with the width of the longest task's name. Without Follow lines come in the
// order of their times. The error is a sentence; what came before it was given.
func Read(ctx context.Context, docker *client.Client, state *live.State, stack string, services []swarm.Service, o Options, emit func(l Line, width int)) error {
	names, err := newNames(ctx, docker, stack, services, state.Nodes)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	sorted := &order{emit: func(l Line) { emit(l, names.width()) }}
	take := func(m message) {
		l := Line{Time: m.at, Task: names.of(ctx, m), Text: clean(m.text)}
		mu.Lock()
		defer mu.Unlock()
		if o.Follow {
			sorted.emit(l)
		} else {
			sorted.add(l)
		}
	}
	var eg errgroup.Group // no shared context: what the others have is wanted all the same
	if !o.Follow {
		eg.SetLimit(4)
	}
	errs := make([]error, len(services))
	for i, s := range services {
		eg.Go(func() error {
			if err := read(ctx, docker, s, o, take); err != nil && ctx.Err() == nil {
				errs[i] = fmt.Errorf("reading the logs of %s: %w", s.Spec.Name, err)
			}
			return nil
		})
	}
	_ = eg.Wait()
	sorted.end()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

func read(ctx context.Context, docker *client.Client, s swarm.Service, o Options, take func(message)) error {
	from, err := docker.ServiceLogs(ctx, s.ID, client.ServiceLogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Details: true, Follow: o.Follow, Tail: o.Tail, Since: o.Since,
	})
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	out, errout := &joiner{map[string]message{}, take}, &joiner{map[string]message{}, take}
	defer out.rest()
	defer errout.rest()
	if c := s.Spec.TaskTemplate.ContainerSpec; c != nil && c.TTY {
		return lines(from, out)
	}
	_, err = stdcopy.StdCopy(out, errout, from)
	return err
}

// lines reads a stream that is not in frames: that of services with a terminal (tty: true).
func lines(from io.Reader, to io.Writer) error {
	in := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			_, _ = to.Write(line)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
