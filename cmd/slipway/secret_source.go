package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/console"

	"slipway/deploy/secrets"
	"slipway/engine/display"
	"slipway/secret"
	"slipway/secret/generate"
	"slipway/secret/reference"
)

// source gives the value of a secret. It is asked once nothing else stands against its use.
type source func(context.Context, *place) (value []byte, err error)

// sourceOf reads the flags that say where a value comes from; without any it is standard input.
func sourceOf(in input) (source, error) {
	var given []string
	for _, n := range []string{"file", "env", "from"} {
		if _, ok := in.flags[n]; ok {
			given = append(given, "-"+n)
		}
	}
	exact, err := in.flag("exact")
	switch {
	case err != nil:
		return nil, err
	case len(given) > 1:
		return nil, fmt.Errorf("%s each say where the value comes from: keep one", list(given))
	case given == nil:
		return func(ctx context.Context, p *place) ([]byte, error) { return p.standardInput(ctx, exact) }, nil
	case in.flags[given[0][1:]] == "":
		return nil, fmt.Errorf("%s= is empty", given[0])
	}
	v := in.flags[given[0][1:]]
	switch given[0] {
	case "-file":
		return func(_ context.Context, p *place) ([]byte, error) {
			data, err := reference.File(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v, err)
			}
			return p.line(data, exact), nil
		}, nil
	case "-env":
		return func(_ context.Context, p *place) ([]byte, error) {
			if p.all[v] == "" {
				return nil, fmt.Errorf("the environment variable %s is not set: -env takes the name of one that holds the value", harmlessName(v))
			}
			return []byte(p.all[v]), nil
		}, nil
	}
	if !reference.Is(v) {
		return nil, errors.New("what -from names is no reference: write -from=vault://MOUNT/PATH#FIELD, file://PATH or env://NAME")
	}
	return func(ctx context.Context, p *place) ([]byte, error) {
		got, err := p.references.Resolve(ctx, v)
		return []byte(got.Reveal()), err
	}, nil
}

// harmlessName is a name that may be a value, put there by mistake.
func harmlessName(n string) string {
	for _, r := range n {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "that -env names"
		}
	}
	return n
}

// generated reads the flags of a value at random.
func generated(in input) (source, error) {
	length, err := in.number("length")
	if err != nil {
		return nil, err
	}
	if length == 0 {
		length = generate.Length
	}
	if length > generate.MaxLength {
		return nil, fmt.Errorf("-length=%d: at most %d are made", length, generate.MaxLength)
	}
	alphabet, ok := in.flags["alphabet"]
	if !ok {
		alphabet = generate.Alphabet
	}
	characters, err := generate.Characters(alphabet)
	if err != nil {
		return nil, fmt.Errorf("-alphabet: %w", err)
	}
	return func(_ context.Context, p *place) ([]byte, error) {
		if bits := generate.Bits(length, characters); bits < generate.WeakBits {
			p.warnings = append(p.warnings, fmt.Sprintf("%d characters of %d different ones are %.0f bits: who can try often enough guesses that; take more for whatever is reached over a network", length, len(characters), bits))
		}
		v, err := generate.Value(length, characters)
		return []byte(v.Reveal()), err
	}, nil
}

// value asks a source.
func (p *place) value(ctx context.Context, from source) (secret.Value, error) {
	data, err := from(ctx, p)
	return secret.New(string(data)), err
}

// standardInput reads what is piped in, or asks where a person types.
func (p *place) standardInput(ctx context.Context, exact bool) ([]byte, error) {
	if terminal, fault := console.ConsoleFromFile(os.Stdin); fault == nil {
		p.show.Close() // it would write over the question
		value, err := ask(ctx, terminal, os.Stdin)
		if err == nil {
			p.show, err = display.New(os.Stderr, p.project.env.progress, deployOf(p.env.Name))
		}
		return value, err
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, secrets.Limit+2))
	if err != nil {
		return nil, fmt.Errorf("reading the value from standard input: %w", err)
	}
	if len(data) == 0 {
		return nil, errors.New("nothing came on standard input: pipe the value in, or name its place with -file=, -env= or -from=")
	}
	return p.line(data, exact), nil
}

// line is reference.Line, unless all bytes are to stay.
func (p *place) line(data []byte, exact bool) []byte {
	if exact {
		return data
	}
	out, cut := reference.Line(data)
	if cut {
		p.warnings = append(p.warnings, "the value is one line, and its line end was left out (-exact=true keeps it)")
	}
	return out
}

// ask asks twice, without echo.
func ask(ctx context.Context, terminal console.Console, in io.Reader) ([]byte, error) {
	if err := terminal.DisableEcho(); err != nil {
		return nil, fmt.Errorf("turning the terminal's echo off: %w", err)
	}
	defer func() { _ = terminal.Reset() }()
	lines := bufio.NewReader(in)
	var got [2]string
	for i, question := range []string{"Value: ", "Once more: "} {
		fmt.Fprint(os.Stderr, question)
		line, err := lineOf(ctx, lines)
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return nil, err
		}
		got[i] = strings.TrimRight(line, "\r\n")
	}
	if got[0] != got[1] {
		return nil, errors.New("the two are not the same: nothing was written")
	}
	return []byte(got[0]), nil
}

// lineOf reads a line, or leaves the terminal at once where the person gives up.
func lineOf(ctx context.Context, from *bufio.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	typed := make(chan result, 1)
	go func() {
		line, err := from.ReadString('\n')
		typed <- result{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case r := <-typed:
		if r.err != nil {
			return "", errors.New("nothing was typed to its end: nothing was written")
		}
		return r.line, nil
	}
}
