package secrets

import (
	"cmp"
	"slices"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// Resolve gives the external secrets of a stack the names of the versions in effect: a manifest
// has one name for a secret, whatever becomes of its value.
func Resolve(want *convert.Stack, all []swarm.Secret) *convert.Stack {
	return rename(want, func(name string) string {
		if v, ok := Newest(all, name); ok {
			return v.Name
		}
		return name
	})
}

// Again is for a release that is to be brought back. It gets the versions that it had, but for
// those that a database no longer takes.
func Again(want *convert.Stack, all []swarm.Secret) *convert.Stack {
	return rename(want, func(name string) string {
		base, number := family(all, name)
		if newest, ok := Newest(all, base); ok && outdated(all, base, number) {
			return newest.Name
		}
		return name
	})
}

// With is a stack that uses another version of one secret.
func With(want *convert.Stack, all []swarm.Secret, base, version string) *convert.Stack {
	return rename(want, func(name string) string {
		if of, _ := family(all, name); of == base {
			return version
		}
		return name
	})
}

// family tells which version of which secret a name is, also one that is no longer there.
func family(all []swarm.Secret, name string) (base string, number int) {
	for _, s := range all {
		if s.Spec.Name == name {
			return Base(s), version(s).Number
		}
	}
	for _, s := range all {
		for n := version(s).Number; s.Spec.Labels[labelName] != "" && n > 1; n-- {
			if versioned(Base(s), n) == name {
				return Base(s), n
			}
		}
	}
	return name, 1
}

// outdated tells a version that a database was told a later one than.
func outdated(all []swarm.Secret, base string, number int) bool {
	return slices.ContainsFunc(Versions(all, base), func(v Version) bool { return v.Told && !v.Pending && v.Number > number })
}

// rename is pure: what it changes, it copies.
func rename(want *convert.Stack, to func(string) string) *convert.Stack {
	names := map[string]string{}
	for _, n := range want.External.Secrets {
		if now := to(n); now != n {
			names[n] = now
		}
	}
	if len(names) == 0 {
		return want
	}
	out := *want
	out.External.Secrets = slices.Clone(want.External.Secrets)
	for i, n := range out.External.Secrets {
		out.External.Secrets[i] = cmp.Or(names[n], n)
	}
	slices.Sort(out.External.Secrets)
	out.External.Secrets = slices.Compact(out.External.Secrets)
	out.Services = slices.Clone(want.Services)
	for i := range out.Services {
		c := out.Services[i].Spec.TaskTemplate.ContainerSpec
		if c == nil || len(c.Secrets) == 0 {
			continue
		}
		copied := *c
		copied.Secrets = nil
		for _, r := range c.Secrets {
			ref := *r
			if now := names[r.SecretName]; now != "" {
				ref.SecretName, ref.SecretID = now, ""
			}
			copied.Secrets = append(copied.Secrets, &ref)
		}
		slices.SortStableFunc(copied.Secrets, func(a, b *swarm.SecretReference) int { // as convert sorts them
			return cmp.Or(cmp.Compare(a.SecretName, b.SecretName), cmp.Compare(target(a), target(b)))
		})
		out.Services[i].Spec.TaskTemplate.ContainerSpec = &copied
	}
	return &out
}

func target(r *swarm.SecretReference) string {
	if r.File == nil {
		return ""
	}
	return r.File.Name
}
