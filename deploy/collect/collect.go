// Package collect finds and removes what deploys leave behind in a Swarm: records beyond those
// that are kept, and configs and secrets that neither a service nor a kept release needs.
package collect

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/deploy/secrets"
)

// Unused is what may go.
type Unused struct {
	Releases         []release.Entry
	Configs, Secrets []Object
}

// Object is a config or a secret.
type Object struct{ ID, Name string }

// Find is pure. Only what a release of this stack recorded as its own is ever found, and old
// versions of secrets that were set for it; nothing that a live service of any stack refers to.
func Find(state *live.State, stack string, keep int) Unused {
	entries, _ := release.Entries(state.Configs, stack)
	u := Unused{Releases: release.Expired(entries, keep)}
	gone := map[int]bool{}
	for _, e := range u.Releases {
		gone[e.Number] = true
	}
	stay := slices.DeleteFunc(slices.Clone(entries), func(e release.Entry) bool { return gone[e.Number] })
	kept := release.Owned(stay)
	owned := release.Owned(entries)
	used := map[string]bool{}
	for _, s := range state.Services {
		refer(used, s.Spec)
		if s.PreviousSpec != nil {
			refer(used, *s.PreviousSpec)
		}
	}
	may := func(id, name string, owned, kept []string) bool {
		return slices.Contains(owned, name) && !slices.Contains(kept, name) && !used[id] && !used[name]
	}
	for _, c := range state.Configs {
		if may(c.ID, c.Spec.Name, owned.Configs, kept.Configs) {
			u.Configs = append(u.Configs, Object{c.ID, c.Spec.Name})
		}
	}
	for _, s := range state.Secrets {
		if may(s.ID, s.Spec.Name, owned.Secrets, kept.Secrets) {
			u.Secrets = append(u.Secrets, Object{s.ID, s.Spec.Name})
		}
	}
	for _, v := range secrets.Unused(state, stack, stay) {
		u.Secrets = append(u.Secrets, Object{v.ID, v.Name})
	}
	left := map[string]bool{} // there, and named by none but records that are to go
	for _, c := range state.Configs {
		left[c.Spec.Name] = !slices.Contains(kept.Configs, c.Spec.Name) && !slices.Contains(u.Configs, Object{c.ID, c.Spec.Name})
	}
	for _, s := range state.Secrets {
		left[s.Spec.Name] = left[s.Spec.Name] || !slices.Contains(kept.Secrets, s.Spec.Name) && !slices.Contains(u.Secrets, Object{s.ID, s.Spec.Name})
	}
	u.Releases = slices.DeleteFunc(u.Releases, func(e release.Entry) bool { return names(e, left) })
	return u
}

// names tells whether a record names one of these as its own. Such a record stays: without it
// nobody would know any more that they may go, once they can.
func names(e release.Entry, these map[string]bool) bool {
	own := release.Owned([]release.Entry{e})
	return slices.ContainsFunc(slices.Concat(own.Configs, own.Secrets), func(n string) bool { return these[n] })
}

func refer(used map[string]bool, spec swarm.ServiceSpec) {
	c := spec.TaskTemplate.ContainerSpec
	if c == nil {
		return
	}
	for _, r := range c.Configs {
		used[r.ConfigID] = true
	}
	for _, r := range c.Secrets {
		used[r.SecretID] = true
	}
	if c.Privileges != nil && c.Privileges.CredentialSpec != nil {
		used[c.Privileges.CredentialSpec.Config] = true
	}
}

// Run removes them, configs and secrets before the records that name them, so that one that is
// cut short finds them again. What a service has come to use meanwhile is refused by Swarm,
// and stays, as does the record that names it.
func Run(ctx context.Context, docker *client.Client, u Unused) (removed, warnings []string) {
	stuck := map[string]bool{}
	drop := func(kind, name string, err error) {
		switch {
		case err == nil:
			removed = append(removed, kind+" "+name)
		case errdefs.IsNotFound(err):
		case errdefs.IsInvalidArgument(err), errdefs.IsConflict(err):
			stuck[name] = true
		default:
			stuck[name] = true
			warnings = append(warnings, fmt.Sprintf("the unused %s %s could not be removed: %v", kind, name, err))
		}
	}
	for _, c := range u.Configs {
		_, err := docker.ConfigRemove(ctx, c.ID, client.ConfigRemoveOptions{})
		drop("config", c.Name, err)
	}
	for _, s := range u.Secrets {
		_, err := docker.SecretRemove(ctx, s.ID, client.SecretRemoveOptions{})
		drop("secret", s.Name, err)
	}
	for _, e := range u.Releases {
		if !names(e, stuck) {
			_, err := docker.ConfigRemove(ctx, e.ConfigID, client.ConfigRemoveOptions{})
			drop("record of release", fmt.Sprint(e.Number), err)
		}
	}
	return removed, warnings
}
