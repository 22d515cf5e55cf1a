package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"slipway/deploy/environment"
	"slipway/report/chat"
	"slipway/report/foreign"
	"slipway/secret"
	"slipway/secret/reference"
)

// secretVariables are environment variables whose values must not come to light in a manifest.
var secretVariables = []string{"SSH_KEY", "SSH_PRIVATE_KEY", "SERVER_ADMIN_KEY", "SERVER_ADMIN_PASSWORD", "REGISTRY_PASSWORD", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "CI_JOB_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "PORTAINER_TOKEN", "WEBHOOK_URL", "VAULT_TOKEN", "SLIPWAY_SIGNING_KEY", "NOTIFY_URL"}

// sideVariables are for telling people, and for builds. What a reference in one of them cannot
// give is missing there, and no reason for a deploy to fail.
var sideVariables = []string{"SLIPWAY_SIGNING_KEY", "NOTIFY_URL", "GITLAB_TOKEN", "GITHUB_TOKEN"}

// environ is the process's environment.
func environ() map[string]string {
	all := map[string]string{}
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		all[name] = value
	}
	return all
}

// secretVariable reads a variable whose value may be there by reference.
func secretVariable(ctx context.Context, vars environment.Vars, name string) (secret.Value, error) {
	v := vars.Get(name)
	if !reference.Is(v) {
		return secret.New(v), nil
	}
	home, _ := os.UserHomeDir()
	found, err := (&reference.Resolver{Env: func(n string) string { return vars.Get(n) }, Home: home}).Resolve(ctx, v)
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s is %w", name, err)
	}
	return found, nil
}

// secretsIn are the values of all variables that hold secrets, of whichever environment.
func secretsIn(all map[string]string) (out []secret.Value) {
	for name, v := range all {
		if reference.Is(v) {
			continue
		}
		for _, n := range secretVariables {
			if name != n && !strings.HasSuffix(name, "_"+n) {
				continue
			}
			out = append(out, secret.New(v))
			if n == "NOTIFY_URL" {
				out = append(out, chat.Split(secret.New(v))...)
			}
		}
	}
	return out
}

// mask hides what this process knows to be secret where people outside read it.
func (p *place) mask() foreign.Mask {
	known := append(p.secrets(), secretsIn(p.all)...)
	if p.did.want != nil {
		for _, s := range p.did.want.Secrets {
			known = append(known, s.Value)
		}
	}
	return foreign.NewMask(known...)
}

func (p *place) secrets() (out []secret.Value) {
	for _, n := range secretVariables {
		if v := (environment.Vars{All: p.all, Env: p.env.Name}).Get(n); len(v) >= 6 {
			out = append(out, secret.New(v))
		}
	}
	return append(out, p.env.Secret...)
}

// dereference reads the secrets that environment variables name instead of holding them.
func (p *place) dereference(ctx context.Context, env string) error {
	for _, n := range secretVariables {
		for _, name := range (environment.Vars{Env: env}).Names(n) {
			if v := p.all[name]; reference.Is(v) {
				found, err := p.references.Resolve(ctx, v)
				switch {
				case err != nil && slices.Contains(sideVariables, n):
					p.warnings = append(p.warnings, fmt.Sprintf("%s is %v", name, err))
				case err != nil:
					return fmt.Errorf("%s is %w", name, err)
				}
				p.all[name] = found.Reveal()
			}
		}
	}
	return nil
}
