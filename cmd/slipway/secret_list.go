package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/deploy/live"
	"slipway/deploy/manifest"
	"slipway/deploy/secrets"
)

// listed is one secret of an environment.
type listed struct {
	Name    string         `json:"name"`             // as the manifest calls it
	Secret  string         `json:"secret,omitempty"` // the version in effect, as the Swarm calls it
	Version int            `json:"version,omitempty"`
	Created *time.Time     `json:"created,omitempty"`
	UsedBy  []secrets.User `json:"usedBy"`
	// Wanted: the manifest has it. Missing: and the Swarm does not.
	Wanted  bool     `json:"wanted"`
	Missing bool     `json:"missing"`
	Own     bool     `json:"fromManifest"` // its value is the manifest's
	Old     []string `json:"old,omitempty"`
}

// secretList tells what secrets an environment has and lacks.
func secretList(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, m, err := openSecrets(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	state, err := live.Read(ctx, p.host.Docker)
	if err != nil {
		return interrupted(ctx, err)
	}
	p.close()
	p.warn()
	all := listSecrets(m, state)
	if asJSON {
		return writeJSON(os.Stdout, all)
	}
	if len(all) == 0 {
		fmt.Fprintf(os.Stderr, "slipway: %s has no secrets\n", m.Stack)
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, s := range all {
		created := "-"
		if s.Created != nil {
			created = s.Created.UTC().Format("2006-01-02 15:04:05Z")
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, cmp.Or(s.Secret, "-"), created, s.users(m.Stack), s.note(p.env.Name))
	}
	return w.Flush()
}

// listSecrets is pure: what the manifest has, what was set for the stack, and what its services
// use.
func listSecrets(m *manifest.Manifest, state *live.State) []listed {
	wanted, own := map[string]bool{}, map[string]bool{}
	for _, o := range m.Secrets {
		wanted[o.Name], own[o.Name] = true, !o.External
	}
	names := map[string]bool{}
	for n := range wanted {
		names[n] = true
	}
	for _, s := range state.Secrets {
		base := secrets.Base(s)
		newest, _ := secrets.Newest(state.Secrets, base)
		ours := slices.ContainsFunc(secrets.Users(state.Services, state.Secrets, base), func(u secrets.User) bool { return u.Stack == m.Stack })
		if newest.Stack == m.Stack || ours {
			names[base] = true
		}
	}
	out := []listed{}
	for n := range names {
		l := listed{Name: n, Wanted: wanted[n], Own: own[n], UsedBy: secrets.Users(state.Services, state.Secrets, n)}
		if l.UsedBy == nil {
			l.UsedBy = []secrets.User{}
		}
		if v, ok := secrets.Newest(state.Secrets, n); ok {
			l.Secret, l.Version, l.Created = v.Name, v.Number, &v.Created
			for _, old := range secrets.Versions(state.Secrets, n) {
				if old.Name != v.Name {
					l.Old = append(l.Old, old.Name)
				}
			}
		} else if s := state.Secret(n); s != nil {
			l.Secret, l.Created, l.Own = n, &s.CreatedAt, true
		}
		l.Missing = l.Wanted && l.Secret == ""
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b listed) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// users names services of the stack by their keys, others in full.
func (l listed) users(stack string) string {
	var out []string
	for _, u := range l.UsedBy {
		name := u.Service
		if u.Stack == stack {
			name = u.Key()
		}
		if l.Secret != "" && u.Version != l.Secret {
			name += " (still " + u.Version + ")"
		}
		out = append(out, name)
	}
	return cmp.Or(list(out), "-")
}

func (l listed) note(env string) string {
	var out []string
	switch {
	case l.Missing && l.Own:
		out = append(out, "made by the next deploy")
	case l.Missing:
		out = append(out, fmt.Sprintf("MISSING: secret:set %s %s", env, l.Name))
	case !l.Wanted:
		out = append(out, "not in the manifest")
	case l.Own:
		out = append(out, "from the manifest")
	}
	if len(l.Old) > 0 {
		out = append(out, "old: "+list(l.Old))
	}
	return strings.Join(out, "; ")
}
