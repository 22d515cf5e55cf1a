package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"slipway/deploy/live"
	"slipway/deploy/manifest"
	"slipway/deploy/release"
	"slipway/deploy/secrets"
	"slipway/pipeline"
	"slipway/secret"
)

// secretSet makes a secret of an environment.
func secretSet(ctx context.Context, in input) error {
	from, err := sourceOf(in)
	if err != nil {
		return badInput{err}
	}
	return makeSecret(ctx, in, from, false)
}

// secretGenerate makes one with a value at random.
func secretGenerate(ctx context.Context, in input) error {
	from, err := generated(in)
	if err != nil {
		return badInput{err}
	}
	show, err := in.flag("show")
	if err != nil {
		return err
	}
	return makeSecret(ctx, in, from, show)
}

// makeSecret finds out what is against it before it asks for a value.
func makeSecret(ctx context.Context, in input, from source, show bool) error {
	p, m, err := openSecrets(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	base, err := p.secretName(m, in.args[1])
	if err != nil {
		return badInput{err}
	}
	if err := p.connect(ctx); err != nil {
		return err
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	if there, ok := secrets.Newest(state.Secrets, base); ok || state.Secret(base) != nil {
		return badInput{p.thereAlready(base, there)}
	}
	value, err := p.value(ctx, from)
	if err != nil {
		return badInput{err}
	}
	if err := secrets.Fits(value); err != nil {
		return badInput{err}
	}
	_, err = secrets.Create(ctx, p.host.Docker, secrets.First(p.env.Stack, base), value)
	var taken *secrets.ThereError
	if errors.As(err, &taken) {
		return badInput{p.thereAlready(base, secrets.Version{Name: base})}
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	p.close()
	p.warn()
	return told(show, value, "%s: created the secret %s", p.env.Stack, base)
}

func (p *place) thereAlready(base string, v secrets.Version) error {
	as := ""
	if v.Name != "" && v.Name != base {
		as = " (as " + v.Name + ")"
	}
	return fmt.Errorf("there is a secret %s already%s, and a secret never changes: replace it, and roll the services that use it, with secret:rotate %s %s", base, as, p.env.Name, base)
}

// told writes a result: the value alone to stdout where it is to be shown, so that it can be
// handed on, and what was done to stderr then.
func told(show bool, v secret.Value, format string, a ...any) error {
	out := os.Stdout
	if show {
		out = os.Stderr
		if _, err := fmt.Fprintln(os.Stdout, v.Reveal()); err != nil {
			return fmt.Errorf("showing the value: %w", err)
		}
	}
	_, err := fmt.Fprintf(out, format+"\n", a...)
	return err
}

func (p *place) warn() {
	for _, w := range p.warnings {
		fmt.Fprintln(os.Stderr, "slipway: warning:", w)
	}
}

// openSecrets opens an environment and its manifest, which says how secrets are called.
func openSecrets(ctx context.Context, in input) (*place, *manifest.Manifest, error) {
	p, err := openPlace(ctx, in.args[0])
	if err != nil {
		return nil, nil, err
	}
	given := p.warnings
	m, err := p.load(ctx, input{flags: map[string]string{}})
	p.warnings = given // what is wrong with the manifest is for deploys to tell
	return p, m, err
}

// secretName is what a secret is called in the Swarm, by its key in the manifest or by its name.
// One that the manifest makes itself is refused.
func (p *place) secretName(m *manifest.Manifest, name string) (string, error) {
	o, ok := m.Secrets[name]
	var known []string
	for key, other := range m.Secrets {
		known = append(known, key)
		if !ok && other.Name == name {
			o, ok = other, true
		}
	}
	switch {
	case !ok:
		near := ""
		if n := pipeline.Nearest(name, known); len(n) > 0 {
			near = ": is " + n[0] + " meant?"
		}
		p.warnings = append(p.warnings, fmt.Sprintf("the manifest of %s has no secret %s%s", p.env.Name, name, near))
		return name, nil
	case !o.External:
		return "", fmt.Errorf("the value of the secret %s comes from the manifest of %s itself: change it there and deploy, or write external: true there to have it set here", name, p.env.Name)
	}
	return o.Name, nil
}

// withSecrets is a release as it can be brought back: with the passwords that databases take now.
func withSecrets(state *live.State, e *release.Entry) *release.Entry {
	out := *e
	out.Want = secrets.Again(e.Want, state.Secrets)
	return &out
}

// list is a list of words as a sentence has it.
func list(words []string) string { return strings.Join(words, ", ") }
